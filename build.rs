//! Which characters look like which others, as a table that takes 33 KB of the program.
//!
//! unicode-security keeps the look-alikes of UTS #39 behind pointers: 190 KB, most of it to be written anew at each start of a
//! program that may lie at any address. Half of them are compatibility forms that a skeleton has resolved before it asks. So
//! the crate is asked here, and what is left goes into three flat arrays for `src/wire/name/skeleton.rs`.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

use unicode_normalization::UnicodeNormalization;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = env::var_os("OUT_DIR").expect("cargo names the folder for what a build script writes");
    fs::write(Path::new(&folder).join("lookalikes.rs"), table())
}

/// The arrays as Rust: characters in order, where the look of each ends, all looks one after the other.
fn table() -> String {
    let (mut twins, mut ends, mut looks, mut ignored) = (String::new(), String::new(), String::new(), String::new());
    let (mut twin_count, mut ignored_count) = (0, 0);
    let mut invisible_since = None;
    for c in '\0'..=char::MAX {
        let text = c.to_string();
        let look: String = unicode_security::skeleton(&text).collect();
        match (look.is_empty(), invisible_since) {
            (true, None) => invisible_since = Some(c),
            (false, Some(first)) => {
                // The character before `c` is the last one; nobody asks for the surrogates that might be between them.
                write_range(&mut ignored, first, u32::from(c) - 1);
                ignored_count += 1;
                invisible_since = None;
            }
            _ => {}
        }
        if !look.is_empty() && look != text && text.nfkd().eq([c]) {
            looks.push_str(&look);
            write!(twins, "{c:?},").expect("a String takes all");
            write!(ends, "{},", looks.len()).expect("a String takes all");
            twin_count += 1;
        }
    }
    assert!(invisible_since.is_none(), "Unicode ends with private characters, which are visible");
    assert!(u16::try_from(looks.len()).is_ok(), "{} bytes of looks are too many for u16", looks.len());
    format!(
        "static TWINS: [char; {twin_count}] = [{twins}];\n\
         static ENDS: [u16; {twin_count}] = [{ends}];\n\
         static LOOKS: &str = {looks:?};\n\
         static IGNORED: [(u32, u32); {ignored_count}] = [{ignored}];\n"
    )
}

fn write_range(out: &mut String, first: char, last: u32) {
    write!(out, "({},{last}),", u32::from(first)).expect("a String takes all");
}
