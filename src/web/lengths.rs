//! Histograms that others counted, in the form that Prometheus reads.

use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::model::Lengths;

/// What a call was for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Call {
    pub(super) call: &'static str,
}

/// One histogram in seconds.
#[derive(Debug)]
pub(super) struct Seconds(pub(super) Lengths);

/// One for each kind of call.
#[derive(Debug)]
pub(super) struct SecondsByCall(pub(super) Vec<(Call, Lengths)>);

fn encode(lengths: &Lengths, encoder: &mut MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
    let end = |end: Option<std::time::Duration>| end.map_or(f64::INFINITY, |end| end.as_secs_f64());
    let buckets: Vec<_> = lengths.classes().map(|(class, count)| (end(class), count)).collect();
    encoder.encode_histogram::<NoLabelSet>(lengths.sum.as_secs_f64(), lengths.count(), &buckets, None)
}

impl EncodeMetric for Seconds {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        encode(&self.0, &mut encoder)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

impl EncodeMetric for SecondsByCall {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.iter().try_for_each(|(call, lengths)| encode(lengths, &mut encoder.encode_family(call)?))
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
