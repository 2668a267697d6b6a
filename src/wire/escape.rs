//! How strangers' text is shown without being obeyed.


/// True for characters that show nothing and change how their neighbours look: zero-width and bidirectional
/// marks, format characters, variation selectors, fillers and blanks that only look like a space.
///
/// The ranges are Unicode's `Default_Ignorable_Code_Point`, its general category `Cf`, and the blanks that both forget.
pub fn is_invisible(c: char) -> bool {
    if c < '\u{ad}' {
        return false;
    }
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        // Category Cf beyond those: number and verse signs, hieroglyph joiners.
        | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}'
        // Blanks: an empty braille cell, a filler, a note without a head.
        | '\u{2800}' | '\u{16fe4}' | '\u{1d159}')
}
