//! Spans of input that are replaced: putting them in order, keeping them off markers, writing the output.

use std::ops::Range;

/// A span of the input to be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// Bytes of the input.
    pub range: Range<usize>,
    /// Number of the rule; the lower of two names a span that both found.
    pub rule: usize,
}

/// Sorts the spans and joins those that overlap.
pub(super) fn join(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| (span.range.start, span.rule));
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.range.start < last.range.end => {
                last.range.end = last.range.end.max(span.range.end);
                last.rule = last.rule.min(span.rule);
            }
            _ => joined.push(span),
        }
    }
    joined
}

/// Cuts the markers, which are in order, out of the spans, which are in order too.
pub(super) fn cut_out(spans: Vec<Span>, markers: &[Range<usize>]) -> Vec<Span> {
    if markers.is_empty() {
        return spans;
    }
    let mut kept = Vec::with_capacity(spans.len());
    for span in spans {
        let mut start = span.range.start;
        let first = markers.partition_point(|marker| marker.end <= start);
        for marker in &markers[first..] {
            if marker.start >= span.range.end {
                break;
            }
            if marker.start > start {
                kept.push(Span { range: start..marker.start, rule: span.rule });
            }
            start = marker.end;
        }
        if start < span.range.end {
            kept.push(Span { range: start..span.range.end, rule: span.rule });
        }
    }
    kept
}
