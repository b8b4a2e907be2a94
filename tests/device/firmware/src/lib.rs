//! What both firmwares share: the board, the loop that turns a serial line into a server, and the tools.
#![no_std]

pub mod board;
pub mod device;
pub mod line;
pub mod log;
