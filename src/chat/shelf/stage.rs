//! How far an upload is.

/// How far an upload is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// The same sender is bringing the same bytes under another name; this one is prepared when they are there.
    Waiting,
    /// The disk looks what is there.
    Preparing,
    /// Bytes may come.
    Open {
        /// A connection asked for it, and the disk has not said since that it broke off.
        moving: bool,
    },
}
