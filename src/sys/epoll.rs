//! epoll, and the eventfd that ends a wait in it.

#![allow(unsafe_code)]

use super::syscall::syscall6;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use rustix::event::epoll::{self, CreateFlags, EventData};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

pub(crate) use rustix::event::epoll::{Event, EventFlags as Events};

/// An epoll instance.
#[derive(Debug)]
pub(crate) struct Epoll(OwnedFd);

impl Epoll {
    /// # Errors
    ///
    /// The kernel's: EMFILE and ENFILE where there are too many descriptors.
    pub(crate) fn new() -> Result<Self, Errno> {
        Ok(Self(epoll::create(CreateFlags::CLOEXEC)?))
    }

    /// Lets `events` of `fd` be told, with `data`.
    ///
    /// # Errors
    ///
    /// The kernel's: EEXIST, EPERM for what cannot be waited for, ENOSPC at `fs.epoll.max_user_watches`.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, data: u64, events: Events) -> Result<(), Errno> {
        epoll::add(&self.0, fd, EventData::new_u64(data), events)
    }

    /// Changes what is told of `fd`; what is so already is told again.
    ///
    /// # Errors
    ///
    /// The kernel's: ENOENT.
    pub(crate) fn modify(
        &self,
        fd: BorrowedFd<'_>,
        data: u64,
        events: Events,
    ) -> Result<(), Errno> {
        epoll::modify(&self.0, fd, EventData::new_u64(data), events)
    }

    /// Lets nothing be told of `fd` any more.
    ///
    /// # Errors
    ///
    /// The kernel's: ENOENT, EBADF.
    pub(crate) fn delete(&self, fd: BorrowedFd<'_>) -> Result<(), Errno> {
        epoll::delete(&self.0, fd)
    }

    /// Waits for events, at most for `timeout`, and returns those that have come; none where a signal or the
    /// end of the time came first.
    pub(crate) fn wait<'a>(
        &self,
        events: &'a mut [MaybeUninit<Event>],
        timeout: Option<Duration>,
    ) -> &'a [Event] {
        // The only error that a caller can do something about is EINTR: nothing has come.
        let count = self.wait_raw(events, timeout).unwrap_or(0);
        // SAFETY: the kernel has written so many.
        unsafe { core::slice::from_raw_parts(events.as_ptr().cast(), count) }
    }

    fn wait_raw(
        &self,
        events: &mut [MaybeUninit<Event>],
        timeout: Option<Duration>,
    ) -> Result<usize, i32> {
        /// The kernel has epoll_pwait2 (Linux 5.11), as far as is known.
        static PRECISE: AtomicBool = AtomicBool::new(true);
        let fd = self.0.as_raw_fd() as usize;
        let buffer = events.as_mut_ptr().expose_provenance();
        // Whole milliseconds go by the older call, zero and for ever among them.
        let timeout = match timeout {
            None => Err(-1),
            Some(timeout) if timeout.subsec_nanos() % 1_000_000 == 0 => Err(as_millis(timeout)),
            Some(timeout) => Ok(timeout),
        };
        // Relaxed: whoever does not know it yet finds it out.
        if let (Ok(timeout), true) = (timeout, PRECISE.load(Ordering::Relaxed)) {
            let timespec = libc::timespec {
                tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: timeout.subsec_nanos().into(),
            };
            let arguments =
                [fd, buffer, events.len(), (&raw const timespec).expose_provenance(), 0, 0];
            // SAFETY: the kernel writes at most so many events, and reads the time.
            match unsafe { syscall6(libc::SYS_epoll_pwait2, arguments) } {
                // Filters of system calls that are older than this one answer EPERM.
                Err(libc::ENOSYS | libc::EPERM) => PRECISE.store(false, Ordering::Relaxed),
                answer => return answer,
            }
        }
        let millis = match timeout {
            Ok(timeout) => as_millis(timeout),
            Err(millis) => millis,
        };
        let arguments = [fd, buffer, events.len(), millis as usize, 0, 0];
        // SAFETY: the kernel writes at most so many events.
        unsafe { syscall6(libc::SYS_epoll_pwait, arguments) }
    }
}

/// In milliseconds, rounded up; what does not fit is cut off, and is waited for in pieces.
fn as_millis(timeout: Duration) -> i32 {
    let part = u64::from(timeout.subsec_nanos().div_ceil(1_000_000));
    let millis = timeout.as_secs().saturating_mul(1000).saturating_add(part);
    i32::try_from(millis).unwrap_or(i32::MAX)
}

/// A descriptor that is readable from its first [`ring`](Self::ring) on. Told edge-triggered, each ring is
/// told once, and it need never be read.
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    /// # Errors
    ///
    /// The kernel's: EMFILE and ENFILE where there are too many descriptors.
    pub(crate) fn new(epoll: &Epoll, data: u64) -> Result<Self, Errno> {
        use std::os::fd::AsFd;
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll.add(fd.as_fd(), data, Events::IN | Events::ET)?;
        Ok(Self(fd))
    }

    pub(crate) fn ring(&self) {
        let one = 1_u64;
        let arguments =
            [self.0.as_raw_fd() as usize, (&raw const one).expose_provenance(), 8, 0, 0, 0];
        // The count is full after 2^64 - 2 rings: no error can come.
        // SAFETY: write(2) reads the eight bytes of `one`.
        let _ = unsafe { syscall6(libc::SYS_write, arguments) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn each_ring_is_told_once_and_before_the_wait_counts() {
        let epoll = Epoll::new().unwrap();
        let bell = Bell::new(&epoll, 7).unwrap();
        let mut events = [MaybeUninit::uninit(); 4];
        assert!(epoll.wait(&mut events, Some(Duration::ZERO)).is_empty());
        for _ in 0..3 {
            bell.ring();
            bell.ring();
            let told: Vec<_> =
                epoll.wait(&mut events, None).iter().map(|event| event.data.u64()).collect();
            assert_eq!(told, [7]);
            assert!(epoll.wait(&mut events, Some(Duration::ZERO)).is_empty());
        }
    }

    #[test]
    fn milliseconds_are_rounded_up_and_cut_off() {
        let cases = [
            (Duration::ZERO, 0),
            (Duration::from_nanos(1), 1),
            (Duration::from_millis(7), 7),
            (Duration::new(2, 999_999_999), 3000),
            (Duration::MAX, i32::MAX),
        ];
        for (timeout, millis) in cases {
            assert_eq!(as_millis(timeout), millis);
        }
    }

    #[test]
    fn a_wait_is_no_shorter_than_its_timeout() {
        let epoll = Epoll::new().unwrap();
        let mut events = [MaybeUninit::uninit(); 4];
        for timeout in
            [Duration::from_micros(300), Duration::from_millis(2), Duration::from_nanos(1)]
        {
            let begin = Instant::now();
            assert!(epoll.wait(&mut events, Some(timeout)).is_empty());
            assert!(begin.elapsed() >= timeout);
        }
    }
}
