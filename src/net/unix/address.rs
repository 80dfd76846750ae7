//! Between std's addresses of the Unix domain and the kernel's.

use crate::sys::socket::{SocketAddrAny, SocketAddrUnix, unix_name};
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;
use std::path::Path;

/// The address of a path.
///
/// # Errors
///
/// std's own: `InvalidInput` for a path that is too long, or has a zero in it.
pub(super) fn path_to_kernel(path: &Path) -> io::Result<SocketAddrUnix> {
    to_kernel(&SocketAddr::from_pathname(path)?)
}

pub(super) fn to_kernel(address: &SocketAddr) -> io::Result<SocketAddrUnix> {
    if let Some(path) = address.as_pathname() {
        return Ok(SocketAddrUnix::new(path)?);
    }
    Ok(match address.as_abstract_name() {
        Some(name) => SocketAddrUnix::new_abstract_name(name)?,
        None => SocketAddrUnix::new_unnamed(),
    })
}

/// A peer that the kernel gives no address for has none.
pub(super) fn from_kernel(address: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
    // std has no other name for the address without a name.
    let unnamed = || SocketAddr::from_pathname("");
    let Some(address) = address else {
        return unnamed();
    };
    match unix_name(&address) {
        Some([]) => unnamed(),
        Some([0, name @ ..]) => SocketAddr::from_abstract_name(name),
        Some(path) => {
            let path = path.split(|&byte| byte == 0).next().unwrap_or_default();
            // A path of another program's may be one byte longer than std can say.
            SocketAddr::from_pathname(OsStr::from_bytes(path)).or_else(|_| unnamed())
        }
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a socket of the Unix domain")),
    }
}
