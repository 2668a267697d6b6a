//! What does somebody say of a file before its bytes come: its name, its size, its digest?

use crate::chat::shelf::order::Intake;
use crate::chat::shelf::web::WebWish;
use crate::wire::digest::Digest;
use crate::wire::file_name::FileName;
use crate::wire::http::head::{Field, Framing, Head};
use crate::wire::http::{BadRequest, condition, digests, disposition};

use super::answer::Refusal;
use super::route::Want;

/// What somebody is told who resumes in a way that only some servers have.
const NO_CONTENT_RANGE: &str =
    "a PUT brings a whole file; to go on with one, take a ticket with FILE PUT and send a PATCH";

/// What the rules are asked.
pub fn wish(head: &Head, want: &Want) -> Result<WebWish, Refusal> {
    let name = match want {
        Want::Patch(token) => return Ok(WebWish::Redeem { token: token.as_str().into() }),
        Want::Put(name) => name.as_str().into(),
        _ => posted_name(head),
    };
    if head.framing == Framing::Length(0) && head.field(Field::ContentLength).is_none() {
        return Err(Refusal::new(411, "an upload needs a Content-Length, or chunks"));
    }
    if head.field(Field::ContentRange).is_some() {
        return Err(Refusal::new(400, NO_CONTENT_RANGE));
    }
    let size = match head.framing {
        Framing::Length(length) => Some(length),
        Framing::Chunked => None,
    };
    let replaces = match head.field(Field::IfMatch) {
        Some(list) => Some(
            condition::only_match(list)
                .ok_or_else(|| Refusal::new(412, "If-Match names the one content that may be replaced: its ETag"))?,
        ),
        None => None,
    };
    Ok(WebWish::Put { name, size, digest: digest(head)?, replaces, may_rename: *want == Want::Post })
}

/// What a sender says that the SHA-256 is. The body is the whole file, so its own digest is as good.
fn digest(head: &Head) -> Result<Option<Digest>, BadRequest> {
    let read = |field, read: fn(&str) -> Result<Option<Digest>, BadRequest>| head.field(field).map_or(Ok(None), read);
    Ok(read(Field::ReprDigest, digests::read)?
        .or(read(Field::ContentDigest, digests::read)?)
        .or(read(Field::Digest, digests::read_old)?))
}

/// What a file is called that came by POST: what its sender says, without folders, or after its kind.
fn posted_name(head: &Head) -> Box<str> {
    let said = head.field(Field::ContentDisposition).and_then(disposition::read);
    let said = said.as_deref().and_then(|name| name.rsplit(['/', '\\']).next());
    if let Some(name) = said.and_then(|name| FileName::clean(name).ok()) {
        return name.as_str().into();
    }
    let kind = head.field(Field::ContentType).unwrap_or_default().split(';').next().unwrap_or_default();
    let extension = match kind.trim() {
        "image/png" => ".png",
        "image/jpeg" => ".jpg",
        "image/gif" => ".gif",
        "image/webp" => ".webp",
        "video/mp4" => ".mp4",
        "audio/mpeg" => ".mp3",
        "audio/ogg" => ".ogg",
        "text/plain" => ".txt",
        "application/pdf" => ".pdf",
        _ => "",
    };
    format!("upload{extension}").into()
}

/// Whether what comes can be what was announced.
pub fn fits(intake: &Intake, offset: u64, framing: Framing) -> Result<(), Refusal> {
    let Framing::Length(length) = framing else { return Ok(()) };
    let end = offset.saturating_add(length);
    let most = intake.size.unwrap_or(u64::MAX).min(intake.at_most);
    if end <= most {
        return Ok(());
    }
    Err(Refusal::new(413, &format!("these would be {end} bytes; {most} were announced, or are allowed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &str) -> Head {
        Head::parse(format!("PUT /cloud/a HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes()).unwrap()
    }

    #[test]
    fn what_a_put_says_is_asked() {
        let digest = Digest([7; 32]);
        let fields = format!(
            "Content-Length: 5\r\nRepr-Digest: {}\r\nIf-Match: {}\r\n",
            digests::sha256(&digest),
            condition::etag(&Digest([8; 32]))
        );
        let expected = WebWish::Put {
            name: "a".into(),
            size: Some(5),
            digest: Some(digest),
            replaces: Some(Digest([8; 32])),
            may_rename: false,
        };
        assert_eq!(wish(&head(&fields), &Want::Put("a".into())).ok(), Some(expected));
        let status = |fields: &str| wish(&head(fields), &Want::Put("a".into())).err().map(|refusal| refusal.status);
        assert_eq!(status("Content-Length: 0\r\n"), None);
        assert_eq!(status("Transfer-Encoding: chunked\r\nContent-Digest: sha-512=:AA==:\r\n"), None);
        assert_eq!(status(""), Some(411));
        assert_eq!(status("Content-Length: 5\r\nContent-Range: bytes 5-9/10\r\n"), Some(400));
        assert_eq!(status("Content-Length: 5\r\nRepr-Digest: sha-256=:AA==:\r\n"), Some(400));
        assert_eq!(status("Content-Length: 5\r\nIf-Match: *\r\n"), Some(412));
    }

    #[test]
    fn a_posted_file_has_a_name_in_any_case() {
        let name = |fields: &str| posted_name(&head(fields)).into_string();
        assert_eq!(name("Content-Disposition: attachment; filename=\"C:\\\\dir\\\\a.png\"\r\n"), "a.png");
        assert_eq!(name("Content-Disposition: attachment; filename*=UTF-8''..%2F..%2F.%E4%BD%9C\r\n"), "作");
        assert_eq!(
            name("Content-Disposition: attachment; filename=..\r\nContent-Type: image/png; x=y\r\n"),
            "upload.png"
        );
        assert_eq!(name(""), "upload");
    }

    #[test]
    fn more_than_was_announced_is_refused_before_it_comes() {
        let intake = |size, at_most| Intake {
            upload: crate::chat::shelf::order::UploadId(1),
            to: crate::store::file::FileKey {
                scope: crate::store::file::Scope::Public,
                name: FileName::parse("a").unwrap(),
            },
            part: "p".into(),
            size,
            digest: None,
            at_most,
            replaces: None,
            resumable: true,
        };
        let length = Framing::Length;
        assert!(fits(&intake(Some(10), 100), 4, length(6)).is_ok());
        assert!(fits(&intake(Some(10), 100), 5, length(6)).is_err());
        assert!(fits(&intake(None, 100), 0, length(101)).is_err());
        assert!(fits(&intake(None, u64::MAX), 1, length(u64::MAX)).is_ok());
        assert!(fits(&intake(None, 1), 0, Framing::Chunked).is_ok());
    }
}
