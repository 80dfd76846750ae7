//! What `kettle::net` promises, in coroutines, on several workers, and on plain threads.

#[path = "net/support.rs"]
mod support;

#[path = "net/tcp.rs"]
mod tcp;

#[path = "net/udp.rs"]
mod udp;

#[path = "net/unix.rs"]
mod unix;

#[path = "net/waiting.rs"]
mod waiting;

#[path = "net/load.rs"]
mod load;

#[path = "net/as_std.rs"]
mod as_std;
