//! Omise's own schedules: reading and ending them, for the way off them.

use super::ListQuery;
use super::rows::Rows;
use crate::omise::client::{Part, path};
use crate::omise::{Answer, Client, Error, List, Occurrence, Schedule};

/// Calls about schedules; from [`Client::schedules`].
///
/// ```
/// use dues::omise::{ListQuery, ScheduleStatus};
/// # use dues::omise::{Client, ClientConfig, PublicKey, SecretKey};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = dues::sandbox::start(dues::sandbox::SandboxOptions::default()).await?;
/// # let client = Client::new(&ClientConfig {
/// #     api_url: sandbox.api_url(),
/// #     vault_url: sandbox.vault_url(),
/// #     public_key: Some(PublicKey::parse(sandbox.public_key())?),
/// #     ..ClientConfig::new(SecretKey::parse(sandbox.secret_key())?)
/// # })?;
/// // End every schedule that still charges.
/// let mut schedules = client.schedules().rows(&ListQuery::default());
/// while let Some(schedule) = schedules.next().await? {
///     if matches!(schedule.status, ScheduleStatus::Running | ScheduleStatus::Expiring) {
///         client.schedules().destroy(&schedule.id).await?;
///     }
/// }
/// # sandbox.stop().await;
/// # Ok(())
/// # }
/// ```
///
/// Source: paths and parameters from the machine-readable description; errors as recorded.
#[derive(Debug, Clone, Copy)]
pub struct Schedules<'a>(&'a Client);

impl Client {
    /// Calls about Omise's own schedules. None of them makes one: whoever has a biller of their own and
    /// leaves a schedule running charges twice.
    pub fn schedules(&self) -> Schedules<'_> {
        Schedules(self)
    }
}

impl<'a> Schedules<'a> {
    /// One schedule.
    pub async fn retrieve(&self, id: &str) -> Result<Answer<Schedule>, Error> {
        self.0.get(&path(&[Part::Word("schedules"), Part::Id(id)])?).await
    }

    /// One page of all schedules.
    pub async fn list(&self, query: &ListQuery) -> Result<Answer<List<Schedule>>, Error> {
        self.0.get_with("/schedules", &query.pairs()).await
    }

    /// All schedules of a window.
    pub fn rows(&self, query: &ListQuery) -> Rows<'a, Schedule> {
        Rows::new(self.0, "/schedules".to_owned(), query)
    }

    /// What happened on the dates of a schedule.
    pub async fn occurrences(&self, id: &str, query: &ListQuery) -> Result<Answer<List<Occurrence>>, Error> {
        self.0.get_with(&occurrences_of(id)?, &query.pairs()).await
    }

    /// All that happened on the dates of a schedule.
    pub fn occurrence_rows(&self, id: &str) -> Result<Rows<'a, Occurrence>, Error> {
        Ok(Rows::new(self.0, occurrences_of(id)?, &ListQuery::default()))
    }

    /// One date of a schedule.
    pub async fn occurrence(&self, id: &str) -> Result<Answer<Occurrence>, Error> {
        self.0.get(&path(&[Part::Word("occurrences"), Part::Id(id)])?).await
    }

    /// Ends a schedule: it charges no more.
    pub async fn destroy(&self, id: &str) -> Result<Answer<Schedule>, Error> {
        self.0.delete(&path(&[Part::Word("schedules"), Part::Id(id)])?).await
    }
}

fn occurrences_of(id: &str) -> Result<String, Error> {
    path(&[Part::Word("schedules"), Part::Id(id), Part::Word("occurrences")])
}
