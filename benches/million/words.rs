//! Talk that is the same in every run: dice, and a language to throw them for.

/// A generator of numbers that are the same in every run (xorshift64*).
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        // Small seeds are alike in their first throws; an odd factor tells them apart.
        let mut x = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).max(1);
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0 = x;
        x.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 11) % end
    }

    /// Small numbers often, large ones seldom, as words are used.
    pub fn rank(&mut self, count: usize) -> usize {
        let uniform = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        ((count as f64).powf(uniform) as usize - 1).min(count - 1)
    }
}

/// The language of the talk: words of two or three common characters, and of two to four syllables.
pub struct Words {
    chinese: Vec<String>,
    latin: Vec<String>,
}

impl Words {
    pub fn new() -> Words {
        const SYLLABLES: [&str; 20] = [
            "ta", "re", "in", "on", "se", "ma", "lo", "ki", "ver", "th", "al", "er", "st", "po", "ne", "ru", "co",
            "de", "mi", "an",
        ];
        let mut dice = Dice(42);
        let chinese = (0..20_000).map(|_| {
            let length = 2 + dice.below(3) / 2;
            (0..length).filter_map(|_| char::from_u32(0x4e00 + dice.rank(3500) as u32 * 5)).collect()
        });
        let chinese = chinese.collect();
        let latin = (0..20_000).map(|_| {
            let length = 2 + dice.below(3);
            (0..length).map(|_| SYLLABLES[dice.below(20) as usize]).collect()
        });
        Words { chinese, latin: latin.collect() }
    }

    /// A word, as often as it is used.
    pub fn word(&self, dice: &mut Dice) -> String {
        let words = if dice.below(2) == 0 { &self.chinese } else { &self.latin };
        words[dice.rank(words.len())].clone()
    }

    /// 54 bytes on average.
    pub fn sentence(&self, dice: &mut Dice) -> String {
        let mut text = String::new();
        let length = 20 + dice.below(61) as usize;
        if dice.below(2) == 0 {
            while text.len() < length {
                text.push_str(&self.chinese[dice.rank(self.chinese.len())]);
                if dice.below(5) == 0 {
                    text.push('，');
                }
            }
        } else {
            while text.len() < length {
                text.push_str(&self.latin[dice.rank(self.latin.len())]);
                text.push(' ');
            }
        }
        text
    }
}
