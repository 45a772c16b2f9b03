//! Whole runs, and what others can do to what waits.

#[cfg(target_os = "linux")]
mod given_up;
#[cfg(target_os = "linux")]
mod races;
mod second_look;
mod undone;
