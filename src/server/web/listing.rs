//! What is in a folder, for people (HTML that an old browser shows too) and for programs (JSON).

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::chat::shelf::web::Listed;
use crate::wire::http::path;
use crate::wire::media::Media;
use crate::wire::timestamp;

/// What a page may do: be shown.
pub const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:1em auto;padding:0 1em;color:#222;background:#fff}\
a{color:#05a}h1{font-size:1.3em}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25em .75em .25em 0;\
border-bottom:1px solid #ddd}td.n{overflow-wrap:anywhere}td.s,th.s{text-align:right;white-space:nowrap}td.t{white-space:nowrap}\
code,.q{color:#666}@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#8bf}th,td{border-color:#444}code,.q{color:#999}}";

/// Whether somebody who accepts this wants JSON: it is named, and HTML is not.
pub fn wants_json(accept: Option<&str>) -> bool {
    let types = || accept.unwrap_or_default().split(',').map(|item| item.split(';').next().unwrap_or_default().trim());
    types().any(|kind| kind.eq_ignore_ascii_case("application/json"))
        && !types().any(|kind| kind.eq_ignore_ascii_case("text/html"))
}

/// A folder in the folder.
#[derive(Default)]
struct Below {
    files: u64,
    size: u64,
    stored_ms: u64,
}

/// A page for people: folders first, then files.
pub fn page(network: &str, folder: &str, files: &[Listed]) -> String {
    let mut html = String::with_capacity(1024 + files.len() * 400);
    let title =
        if folder.is_empty() { escaped(network) } else { format!("{} · {}", escaped(folder), escaped(network)) };
    html.push_str("<!DOCTYPE html>\n<html lang=\"zh\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">");
    // Writing to a String cannot fail.
    let _ = write!(
        html,
        "<title>{title}</title><style>{STYLE}</style></head>\n<body><h1>{}</h1>\n",
        way_to(network, folder)
    );
    let (folders, here) = sort_out(folder, files);
    if folders.is_empty() && here.is_empty() {
        html.push_str("<p>这里还没有文件。 There are no files here yet.</p>\n</body></html>\n");
        return html;
    }
    html.push_str("<table><tr><th>名称 Name</th><th class=\"s\">大小 Size</th><th>时间 Time (UTC)</th><th>来自 From</th><th>SHA-256</th></tr>\n");
    for (name, below) in &folders {
        let _ = writeln!(
            html,
            "<tr><td class=\"n\"><a href=\"{}/\">{}/</a></td><td class=\"s\">{}</td><td class=\"t\">{}</td><td class=\"q\">{} 个文件 files</td><td></td></tr>",
            link(name),
            escaped(name),
            size(below.size),
            moment(below.stored_ms),
            below.files
        );
    }
    for (name, file) in &here {
        push_file(name, file, &mut html);
    }
    html.push_str("</table>\n</body></html>\n");
    html
}

fn push_file(name: &str, file: &Listed, html: &mut String) {
    let _ = writeln!(
        html,
        "<tr><td class=\"n\"><a href=\"{}\">{}</a>{}</td><td class=\"s\">{}</td><td class=\"t\">{}</td><td>{}</td><td><code title=\"{}\">{}</code></td></tr>",
        link(name),
        escaped(name),
        kind(file.media),
        size(file.size),
        moment(file.stored_ms),
        escaped(file.uploader.as_deref().unwrap_or_default()),
        file.digest,
        file.digest.short()
    );
}

/// The heading: the network's name and the folders down to this one, each of them a link.
fn way_to(network: &str, folder: &str) -> String {
    let mut way = format!("<a href=\"/cloud/\">{}</a>", escaped(network));
    let mut so_far = String::from("/cloud/");
    for part in folder.split('/').filter(|part| !part.is_empty()) {
        let _ = write!(so_far, "{}/", path::encode(part));
        let _ = write!(way, " / <a href=\"{so_far}\">{}</a>", escaped(part));
    }
    way
}

/// The folders in a folder, with all that is below them, and the files in it.
fn sort_out<'a>(folder: &str, files: &'a [Listed]) -> (BTreeMap<&'a str, Below>, Vec<(&'a str, &'a Listed)>) {
    let (mut folders, mut here) = (BTreeMap::<&str, Below>::new(), Vec::new());
    for file in files {
        let inside = if folder.is_empty() {
            Some(&*file.name)
        } else {
            file.name.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'))
        };
        let Some(name) = inside else { continue };
        let Some((first, _)) = name.split_once('/') else {
            here.push((name, file));
            continue;
        };
        let below = folders.entry(first).or_default();
        below.files += 1;
        below.size = below.size.saturating_add(file.size);
        below.stored_ms = below.stored_ms.max(file.stored_ms);
    }
    (folders, here)
}

/// All files in a folder and below it, one object each, under their full names.
pub fn json(folder: &str, files: &[Listed]) -> String {
    let mut json = String::with_capacity(64 + files.len() * 300);
    json.push_str("{\"folder\":");
    push_quoted(folder, &mut json);
    json.push_str(",\"files\":[");
    for (at, file) in files.iter().enumerate() {
        json.push_str(if at == 0 { "\n{\"name\":" } else { ",\n{\"name\":" });
        push_quoted(&file.name, &mut json);
        let _ = write!(json, ",\"size\":{},\"sha256\":\"{}\",\"time\":\"", file.size, file.digest);
        timestamp::write_utc(file.stored_ms, &mut json);
        json.push_str("\",\"uploader\":");
        match &file.uploader {
            Some(uploader) => push_quoted(uploader, &mut json),
            None => json.push_str("null"),
        }
        json.push_str(",\"media\":");
        push_quoted(&file.media.to_string(), &mut json);
        json.push_str(",\"href\":");
        push_quoted(&format!("/cloud/{}", path::encode(&file.name)), &mut json);
        json.push('}');
    }
    json.push_str("\n]}\n");
    json
}

fn push_quoted(text: &str, to: &mut String) {
    to.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => to.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(to, "\\u{:04x}", u32::from(c));
            }
            c => to.push(c),
        }
    }
    to.push('"');
}

/// Text as HTML shows it, in an attribute too.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c if c.is_control() => html.push('\u{fffd}'),
            c => html.push(c),
        }
    }
    html
}

/// A link to something in the same folder. `./` in front, so that no name is taken for a scheme.
fn link(name: &str) -> String {
    format!("./{}", path::encode(name))
}

/// What a file is, where a person would want to know.
fn kind(media: Media) -> String {
    let words = match media {
        Media::Picture(_, Some((width, height))) => format!("图片 picture {width}×{height}"),
        Media::Picture(_, None) => "图片 picture".into(),
        Media::Sound(_) => "声音 sound".into(),
        Media::Video(_) => "视频 video".into(),
        Media::Text | Media::Other(_) | Media::Unknown => return String::new(),
    };
    format!(" <span class=\"q\">{words}</span>")
}

/// `12.3 MB`
fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1000.0, 0);
    while value >= 999.95 {
        (value, unit) = (value / 1000.0, unit + 1);
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `2026-11-20 13:19`
fn moment(at_ms: u64) -> String {
    let mut text = String::new();
    timestamp::write_utc(at_ms, &mut text);
    text.truncate("2026-11-20T13:19".len());
    text.replace('T', " ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::digest::Digest;

    fn listed(name: &str, size: u64) -> Listed {
        Listed {
            name: name.into(),
            size,
            digest: Digest([0xab; 32]),
            stored_ms: 1_795_180_761_007,
            uploader: Some("小阳".into()),
            media: Media::Picture("image/png", Some((640, 480))),
        }
    }

    #[test]
    fn folders_come_first_and_say_what_is_below_them() {
        let files = [listed("a.png", 1), listed("作业/w1/b", 1000), listed("作业/c", 234_500)];
        let html = page("anna's", "", &files);
        let folder = html.find("<a href=\"./%E4%BD%9C%E4%B8%9A/\">作业/</a>").unwrap();
        let file = html.find("<a href=\"./a.png\">a.png</a> <span class=\"q\">图片 picture 640×480</span>").unwrap();
        assert!(folder < file && html.contains("235.5 kB") && html.contains("2 个文件 files"), "{html}");
        assert!(html.contains("2026-11-20 13:19") && html.contains(">abababab</code>") && html.contains("小阳"));
        let inside = page("anna's", "作业", &files[1..]);
        assert!(inside.contains("href=\"./w1/\"") && inside.contains("href=\"./c\"") && !inside.contains("a.png"));
        assert!(
            inside.contains("<a href=\"/cloud/\">anna&#39;s</a> / <a href=\"/cloud/%E4%BD%9C%E4%B8%9A/\">作业</a>")
        );
        assert!(page("n", "", &[]).contains("没有文件"));
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn programs_get_json_and_browsers_pages() {
        assert!(wants_json(Some("application/json")) && wants_json(Some("application/json;q=1, */*")));
        for people in [None, Some("*/*"), Some("text/html,application/json"), Some("application/jsonp")] {
            assert!(!wants_json(people));
        }
        let text = json("作业", &[listed("作业/\"a\\\u{7f}", 5)]);
        assert!(
            text.starts_with("{\"folder\":\"作业\",\"files\":[\n{\"name\":\"作业/\\\"a\\\\\\u007f\",\"size\":5,"),
            "{text}"
        );
        assert!(
            text.contains(
                "\"time\":\"2026-11-20T13:19:21.007Z\",\"uploader\":\"小阳\",\"media\":\"image/png,640x480\""
            ),
            "{text}"
        );
        assert_eq!(json("", &[]), "{\"folder\":\"\",\"files\":[\n]}\n");
    }

    proptest! {
        #[test]
        fn no_name_becomes_a_part_of_the_page(name in ".+") {
            let html = page("n", "", &[listed("x", 1)]);
            let with_name = page("n", "", &[Listed { uploader: Some(name.clone().into()), ..listed(&name.replace('/', "_"), 1) }]);
            prop_assert_eq!(html.matches('<').count(), with_name.matches('<').count());
            prop_assert_eq!(html.matches('"').count(), with_name.matches('"').count());
        }
    }
}
