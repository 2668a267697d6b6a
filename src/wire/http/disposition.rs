//! What a file is called in a `Content-Disposition` field (RFC 6266, RFC 8187), coming and going.

use super::path::push_encoded;

/// The `Content-Disposition` of a file that is sent. The ASCII name is for programs from before 2011.
pub fn write(is_inline: bool, name: &str) -> String {
    let kind = if is_inline { "inline" } else { "attachment" };
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._ ()".contains(&byte)) {
        return format!("{kind}; filename=\"{name}\"");
    }
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%' | '/') || c == ' ';
    let ascii: String = name.chars().map(|c| if fits(c) { c } else { '_' }).collect();
    let mut field = format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''");
    name.bytes().for_each(|byte| push_encoded(byte, false, &mut field));
    field
}

/// The name in the field of somebody who sends a file; the one in UTF-8 counts before the other.
pub fn read(field: &str) -> Option<String> {
    let (mut plain, mut extended) = (None, None);
    let mut rest = field.split_once(';')?.1;
    while let Some((name, behind)) = rest.split_once('=') {
        let name = name.trim_matches([' ', '\t', ';']);
        let value;
        (value, rest) = value_of(behind.trim_start());
        if name.eq_ignore_ascii_case("filename*") {
            extended = extended.or_else(|| decode(&value));
        } else if name.eq_ignore_ascii_case("filename") {
            plain = plain.or(Some(value));
        }
    }
    extended.or(plain).filter(|name| !name.is_empty())
}

/// A token or a quoted string, and what follows it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        return (value.trim().to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            // Browsers escape nothing but a quote; what follows a backslash is meant either way.
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

/// `UTF-8'zh'%e4…`
fn decode(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_, encoded) = rest.split_once('\'')?;
    charset.eq_ignore_ascii_case("utf-8").then(|| super::path::decode(encoded).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_read_in_every_form_that_programs_write() {
        for (field, name) in [
            ("attachment; filename=a.png", "a.png"),
            ("attachment;filename=\"a b.png\"", "a b.png"),
            ("attachment; filename=\"say \\\"hi\\\".txt\"", "say \"hi\".txt"),
            ("attachment; filename=\"_.zip\"; filename*=UTF-8''%E4%BD%9C%E4%B8%9A.zip", "作业.zip"),
            ("inline; FileName*=utf-8'zh'%e4%bd%9c.zip; filename=x", "作.zip"),
            ("form-data; name=\"a;b\"; filename=\"作业.zip\"", "作业.zip"),
            ("attachment; filename*=ISO-8859-1''%A3; filename=plain", "plain"),
        ] {
            assert_eq!(read(field).as_deref(), Some(name), "{field}");
        }
        for none in ["", "attachment", "attachment; size=3", "attachment; filename=\"\"", "filename=x"] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn names_go_out_so_that_everybody_can_read_them() {
        assert_eq!(write(false, "a b.zip"), "attachment; filename=\"a b.zip\"");
        assert_eq!(write(true, "作\".png"), "inline; filename=\"__.png\"; filename*=UTF-8''%E4%BD%9C%22.png");
    }

    proptest! {
        #[test]
        fn no_name_breaks_out_of_its_field(name in ".+") {
            let field = write(false, &name);
            prop_assert!(field.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(read(&field), Some(name));
        }

        #[test]
        fn nothing_makes_it_panic(field in ".*") {
            let _ = read(&field);
        }
    }
}
