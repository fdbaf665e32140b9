//! Three-way merge of contexts.
