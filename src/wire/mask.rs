//! Which people a ban mask means.
