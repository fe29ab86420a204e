//! What happens inside: one type per occurrence.
