//! Who waits for an answer by HTTP, and what becomes of it when they do not wait any longer.

use std::collections::HashMap;

use async_channel::Sender;
use smol::LocalExecutor;

use crate::chat::Input;
use crate::chat::shelf::web::{WebId, WebReply};

use super::hub::Mail;

/// Requests that the rules have not answered to their end.
#[derive(Default)]
pub struct Callers {
    open: HashMap<WebId, Sender<WebReply>>,
    last: u64,
}

impl Callers {
    /// Takes one in and numbers it.
    pub fn open(&mut self, answers: Sender<WebReply>) -> WebId {
        self.last += 1;
        let web = WebId(self.last);
        self.open.insert(web, answers);
        web
    }

    /// Nobody waits for it any more.
    pub fn forget(&mut self, web: WebId) {
        self.open.remove(&web);
    }

    /// Answers a request. Only an upload gets two answers; `mail` tells the rules when nobody waits for the second any more.
    pub fn answer(&mut self, web: WebId, reply: WebReply, executor: &LocalExecutor<'static>, mail: &Sender<Mail>) {
        let Some(answers) = self.open.remove(&web) else { return };
        let is_last = !matches!(reply, WebReply::Receive(_));
        // Two answers have room, so it fails only when nobody is there.
        let _ = answers.try_send(reply);
        if is_last {
            return;
        }
        let mail = mail.clone();
        self.open.insert(web, answers.clone());
        let watch = async move {
            answers.closed().await;
            let _ = mail.send(Mail::Fact(Input::WebGone { web })).await;
        };
        executor.spawn(watch).detach();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_hear_of_an_upload_that_nobody_waits_for() {
        let executor = LocalExecutor::new();
        let (mail, inbox) = async_channel::unbounded();
        let mut callers = Callers::default();
        let (answers, replies) = async_channel::bounded(2);
        let web = callers.open(answers);
        let refused = |status| WebReply::Refused { status, sentence: "no".into(), offset: None };
        let intake = crate::chat::shelf::order::Intake {
            upload: crate::chat::shelf::order::UploadId(1),
            to: crate::store::file::FileKey {
                scope: crate::store::file::Scope::Public,
                name: crate::wire::file_name::FileName::parse("a").unwrap(),
            },
            part: "p".into(),
            size: None,
            digest: None,
            at_most: 1,
            replaces: None,
            resumable: false,
        };
        callers.answer(web, WebReply::Receive(Box::new(intake)), &executor, &mail);
        assert!(matches!(replies.try_recv(), Ok(WebReply::Receive(_))));
        drop(replies);
        let told = smol::block_on(executor.run(inbox.recv()));
        assert!(matches!(told, Ok(Mail::Fact(Input::WebGone { web: gone })) if gone == web));
        callers.forget(web);
        callers.answer(web, refused(500), &executor, &mail);
        assert!(callers.open.is_empty());
    }

    #[test]
    fn the_last_answer_ends_it() {
        let executor = LocalExecutor::new();
        let (mail, inbox) = async_channel::unbounded();
        let mut callers = Callers::default();
        let (answers, replies) = async_channel::bounded(2);
        let web = callers.open(answers);
        callers.answer(web, WebReply::Removed, &executor, &mail);
        assert_eq!(replies.try_recv(), Ok(WebReply::Removed));
        assert!(replies.is_closed() && callers.open.is_empty() && inbox.is_empty());
    }
}
