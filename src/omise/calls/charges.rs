//! Charges.

use bytes::Bytes;

use super::ListQuery;
use crate::omise::client::{Part, path};
use crate::omise::{Answer, Charge, Client, Error, List, Reply, TransportError};

/// Calls about charges; from [`Client::charges`].
#[derive(Debug, Clone, Copy)]
pub struct Charges<'a>(pub(super) &'a Client);

impl Client {
    /// Calls about charges.
    pub fn charges(&self) -> Charges<'_> {
        Charges(self)
    }
}

impl Charges<'_> {
    /// Posts a ready charge request, byte for byte, exactly once, and hands back the answer unread.
    ///
    /// For callers who stored the body before sending it. [`TransportError::NeverSent`] proves that nothing
    /// left; after [`TransportError::PerhapsProcessed`] the charge must be looked up, never posted again.
    /// Read the answer by [`Reply::parse`]`::<Charge>()`.
    ///
    /// The `Idempotency-Key` header is sent but must not be relied on: official pages and clients do not
    /// mention it, and nobody documents what it covers.
    pub async fn create_raw(
        &self,
        body: impl Into<Bytes>,
        idempotency_key: &str,
    ) -> Result<Reply, TransportError> {
        self.0.post_raw("/charges", body.into(), Some(idempotency_key)).await
    }

    /// One charge.
    pub async fn retrieve(&self, id: &str) -> Result<Answer<Charge>, Error> {
        self.0.get(&path(&[Part::Word("charges"), Part::Id(id)])?).await
    }

    /// One page of charges. Rows are whole charges, metadata included; failed ones are among them.
    pub async fn list(&self, query: &ListQuery) -> Result<Answer<List<Charge>>, Error> {
        self.0.get_with("/charges", &query.pairs()).await
    }
}
