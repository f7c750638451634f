//! What the desk bears: a book that is locked, full or out of reach for a while ends nothing that can be done again a
//! moment later; and the requests of others, which are therefore owed until the book has their end.

use super::{Desk, Done, EndedBadly, Work, requests};
use crate::billing::health::look_at_book;
use crate::billing::requests::{Asked, Taken};
use crate::model::StoppedBy;

impl Desk {
    /// Trouble that may pass is told of, and the loop goes on to try again at its next beat; any other ends the service.
    pub(super) fn bear(&mut self, came: Result<(), EndedBadly>) -> Result<(), EndedBadly> {
        match came {
            Err(EndedBadly::Run(error)) if error.may_pass() => {
                let why = error.to_string();
                // Once a second would fill the log.
                let is_new = self.standing.borrow().book_trouble.as_ref() != Some(&why);
                if is_new {
                    tracing::error!("{why}: it is tried again, and the service goes on");
                    self.standing.send_modify(|standing| standing.book_trouble = Some(why));
                }
                Ok(())
            }
            came => came,
        }
    }

    /// A run that stopped at the book is trouble with it until a look shows that charges can be written again.
    pub(super) fn bear_stop(&mut self, done: &Done) {
        let stopped = done.report.as_ref().filter(|report| report.stopped_by == Some(StoppedBy::Store));
        if let Some(report) = stopped {
            let why = report.incidents.last().cloned().unwrap_or_else(|| "the last run stopped at it".into());
            self.standing.send_modify(|standing| standing.book_trouble = Some(why));
        }
    }

    /// Everything that was asked of the book it did. A trouble is over once it takes a row as well: one that others keep
    /// locked can be read all the while. The look that finds out is under way beside the loop.
    pub(super) fn book_answers(&mut self) {
        if self.standing.borrow().book_trouble.is_none() {
            self.proof = None;
            return;
        }
        let billing = &self.wishes.billing;
        let seen = self.proof.get_or_insert_with(|| look_at_book(billing)).borrow().clone();
        match seen {
            None => {}
            Some(Ok(())) => {
                tracing::info!("the book answers again");
                self.standing.send_modify(|standing| standing.book_trouble = None);
                self.proof = None;
                // What waited for it is due now, not at the next tick.
                self.considered_at = None;
            }
            Some(Err(why)) => {
                self.standing.send_modify(|standing| standing.book_trouble = Some(why));
                self.proof = None;
            }
        }
    }

    /// Once, before any request is taken: what a dead process had taken waits again.
    pub(super) async fn give_back(&mut self) -> Result<(), EndedBadly> {
        if !self.gave_back {
            requests::give_back(&self.wishes.billing).await?;
            self.gave_back = true;
        }
        Ok(())
    }

    /// Begins a run that somebody asked for.
    pub(super) async fn take_request(&mut self) -> Result<(), EndedBadly> {
        match requests::take(&self.wishes.billing).await? {
            Some(Taken { id, order: Ok(order) }) => self.begin(Work::Asked(Asked { id, order })),
            Some(Taken { id, order: Err(error) }) => self.owed.push((id, Err(error))),
            None => {}
        }
        Ok(())
    }

    /// What the book is to know of a piece of work that ended, and how much is due after it.
    pub(super) async fn write_down(&mut self, done: &Done) -> Result<(), EndedBadly> {
        if let (Work::Asked(asked), Some(outcome)) = (&done.work, done.outcome()) {
            self.owed.push((asked.id, outcome));
        }
        self.end_owed().await?;
        self.look_at_due().await
    }

    /// Ends the requests that came to something. One that the book never learned of waits again after a restart.
    pub(super) async fn end_owed(&mut self) -> Result<(), EndedBadly> {
        while let Some((id, outcome)) = self.owed.first() {
            requests::end(&self.wishes.billing, *id, outcome).await?;
            drop(self.owed.remove(0));
        }
        Ok(())
    }
}
