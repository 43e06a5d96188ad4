//! The edge's side of a device's connection, in the model's words.

use relay_wire::{
    Platform,
    session::device::{self as real, QuestionId},
};

use super::{
    edge::{Close, Command, EdgeModel, Event},
    reply_word,
};
use crate::{
    frames::compare::{device_id, platform as number_of},
    run::finding,
    sessions::host::Kind,
};

/// The edge's side; remembers the numbers of questions.
#[derive(Default)]
pub(crate) struct EdgeKind {
    questions: Vec<QuestionId>,
}

impl EdgeKind {
    /// The place of a question in the order of asking; `usize::MAX` for one that was not asked.
    fn place(&self, question: QuestionId) -> usize {
        self.questions.iter().position(|known| *known == question).unwrap_or(usize::MAX)
    }
}

impl Kind for EdgeKind {
    const NAME: &'static str = "edge";
    type Real = real::EdgeSide;
    type Model = EdgeModel;

    fn command(&mut self, command: &Command) -> real::EdgeCommand {
        match command {
            Command::Revoke => real::EdgeCommand::Revoke,
            Command::Drain(after) => real::EdgeCommand::Drain(*after),
            Command::Answer { question, answer } => {
                let never = self.questions.iter().map(|question| question.0).max().unwrap_or(0).wrapping_add(1);
                let question = self.questions.get(*question).copied().unwrap_or(QuestionId(never));
                real::EdgeCommand::Answer { question, answer: super::answer(answer) }
            }
        }
    }

    fn event(&mut self, event: real::EdgeEvent) -> Event {
        match event {
            real::EdgeEvent::Ask { question, request } => {
                // §9.1.7: a number of its own, so one that no question before had.
                if self.questions.contains(&question) {
                    finding(
                        "device_session",
                        "edge: asks under a number that was used, the text says never",
                        question.0,
                    );
                }
                self.questions.push(question);
                Event::Ask { question: self.questions.len() - 1, request: std::rc::Rc::new(request) }
            }
            real::EdgeEvent::Unanswered(question) => Event::Unanswered(self.place(question)),
            real::EdgeEvent::Authenticated(id) => Event::Authenticated(device_id(&id).to_vec()),
            real::EdgeEvent::Offered { token, grant, request } => Event::Offered {
                token: *token.bytes(),
                grant: grant.grant,
                signature: grant.signature,
                request: std::rc::Rc::new(request),
            },
            real::EdgeEvent::Rejected { platform, rejection } => {
                Event::Rejected { platform: number_of(platform), code: rejection.code.as_str(), field: rejection.field }
            }
            real::EdgeEvent::Refused { reason } => Event::Refused(reason),
            real::EdgeEvent::Pinged => Event::Pinged,
        }
    }

    fn close(close: &real::EdgeClose) -> Close {
        match close {
            real::EdgeClose::Finished => Close::Finished,
            real::EdgeClose::BadFrame(rejection) => Close::BadFrame(rejection.code.as_str(), rejection.field),
            real::EdgeClose::Unauthenticated => Close::Unauthenticated,
            real::EdgeClose::Refused => Close::Refused,
            real::EdgeClose::Idle => Close::Idle,
            real::EdgeClose::Revoked => Close::Revoked,
            real::EdgeClose::Draining => Close::Draining,
        }
    }

    fn sent(bytes: &[u8]) -> String {
        reply_word(bytes)
    }

    fn look(&self, real: &real::EdgeSide, model: &EdgeModel) {
        let id = real.device_id().map(|id| (id.platform().number(), id.text().to_owned()));
        if id != model.device {
            finding("device_session", "edge: belongs to another device than the text says", format_args!("{id:?}"));
        }
        if real.platform().map(Platform::number) != model.platform {
            finding(
                "device_session",
                "edge: has another platform than the text says",
                format_args!("{:?}", model.platform),
            );
        }
    }
}
