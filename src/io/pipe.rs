//! Pipes: the mirror of `std::io::pipe`, and what the standard streams of child processes have in common.

use super::descriptor::{Descriptor, Origin};
use crate::reactor::Direction;
use crate::sys::{pipe, socket};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Makes a pipe: what is written to one end is read from the other. The mirror of `std::io::pipe`
/// (Rust 1.87).
///
/// # Errors
///
/// As there.
///
/// ```
/// use kettle::{io, thread};
/// use std::io::{Read, Write};
///
/// let (mut reader, mut writer) = io::pipe()?;
/// let writing = thread::spawn(move || writer.write_all(b"polly"));
/// let mut text = String::new();
/// reader.read_to_string(&mut text)?;
/// assert_eq!(text, "polly");
/// writing.join().unwrap()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = pipe::pipe()?;
    let ours = |fd| Pipe(Descriptor::new(fd, Origin::NonBlocking));
    Ok((PipeReader(ours(reader)), PipeWriter(ours(writer))))
}

/// The end of a pipe that is read: the mirror of `std::io::PipeReader`.
#[derive(Debug)]
pub struct PipeReader(Pipe);

/// The end of a pipe that is written: the mirror of `std::io::PipeWriter`. A write to a pipe that nobody
/// reads is a [`BrokenPipe`](io::ErrorKind::BrokenPipe).
#[derive(Debug)]
pub struct PipeWriter(Pipe);

impl PipeReader {
    /// Another handle to the same end.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }
}

impl PipeWriter {
    /// Another handle to the same end.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }
}

/// One end of a pipe.
#[derive(Debug)]
pub(crate) struct Pipe(Descriptor);

impl Pipe {
    /// An end that nobody else has.
    pub(crate) fn from_own(fd: OwnedFd) -> io::Result<Self> {
        socket::set_nonblocking(&fd, true)?;
        Ok(Self(Descriptor::new(fd, Origin::NonBlocking)))
    }

    /// One from outside, whose flags others may rely on.
    pub(crate) fn from_foreign(fd: OwnedFd) -> Self {
        Self(Descriptor::new(fd, Origin::Foreign))
    }

    pub(crate) fn read(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let may_block = self.0.may_block()?;
        self.0.try_else_wait(Direction::Read, |fd| pipe::read(fd, buffers, may_block))
    }

    pub(crate) fn write(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let may_block = self.0.may_block()?;
        self.0.try_else_wait(Direction::Write, |fd| pipe::write(fd, parts, may_block))
    }

    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.0.into_fd()
    }
}

impl AsFd for Pipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Implements, for a struct around a [`Pipe`], what every end of a pipe can be turned into and made from.
macro_rules! pipe_traits {
    ($ours:ty) => {
        impl ::std::os::fd::AsFd for $ours {
            fn as_fd(&self) -> ::std::os::fd::BorrowedFd<'_> {
                self.0.as_fd()
            }
        }

        impl ::std::os::fd::AsRawFd for $ours {
            fn as_raw_fd(&self) -> ::std::os::fd::RawFd {
                ::std::os::fd::AsFd::as_fd(self).as_raw_fd()
            }
        }

        impl ::std::os::fd::IntoRawFd for $ours {
            fn into_raw_fd(self) -> ::std::os::fd::RawFd {
                self.0.into_fd().into_raw_fd()
            }
        }

        /// Its flags stay as they are, for others may share them.
        impl From<::std::os::fd::OwnedFd> for $ours {
            fn from(fd: ::std::os::fd::OwnedFd) -> Self {
                Self($crate::io::Pipe::from_foreign(fd))
            }
        }

        /// It leaves the reactor, and is set to wait unless it was set not to.
        impl From<$ours> for ::std::os::fd::OwnedFd {
            fn from(ours: $ours) -> Self {
                ours.0.into_fd()
            }
        }

        /// It leaves the reactor, and is set to wait unless it was set not to.
        impl From<$ours> for ::std::process::Stdio {
            fn from(ours: $ours) -> Self {
                ours.0.into_fd().into()
            }
        }
    };
}

/// Implements `Read` for a struct around a [`Pipe`], or for references to one.
macro_rules! pipe_reads {
    ($($ours:ty),+) => {
        $(impl ::std::io::Read for $ours {
            fn read(&mut self, buffer: &mut [u8]) -> ::std::io::Result<usize> {
                self.0.read(&mut [::std::io::IoSliceMut::new(buffer)])
            }

            fn read_vectored(
                &mut self,
                buffers: &mut [::std::io::IoSliceMut<'_>],
            ) -> ::std::io::Result<usize> {
                self.0.read(buffers)
            }
        })+
    };
}

/// Implements `Write` for a struct around a [`Pipe`], or for references to one.
macro_rules! pipe_writes {
    ($($ours:ty),+) => {
        $(impl ::std::io::Write for $ours {
            fn write(&mut self, bytes: &[u8]) -> ::std::io::Result<usize> {
                self.0.write(&[::std::io::IoSlice::new(bytes)])
            }

            fn write_vectored(
                &mut self,
                parts: &[::std::io::IoSlice<'_>],
            ) -> ::std::io::Result<usize> {
                self.0.write(parts)
            }

            /// Does nothing: what was written is the kernel's.
            fn flush(&mut self) -> ::std::io::Result<()> {
                Ok(())
            }
        })+
    };
}

pub(crate) use {pipe_reads, pipe_traits, pipe_writes};

pipe_traits!(PipeReader);
pipe_traits!(PipeWriter);
pipe_reads!(PipeReader, &PipeReader);
pipe_writes!(PipeWriter, &PipeWriter);

#[allow(unsafe_code)]
mod raw {
    use super::{Pipe, PipeReader, PipeWriter};
    use std::os::fd::{FromRawFd, OwnedFd, RawFd};

    impl FromRawFd for PipeReader {
        unsafe fn from_raw_fd(fd: RawFd) -> Self {
            // SAFETY: the caller's: an open descriptor that is his to give.
            Self(Pipe::from_foreign(unsafe { OwnedFd::from_raw_fd(fd) }))
        }
    }

    impl FromRawFd for PipeWriter {
        unsafe fn from_raw_fd(fd: RawFd) -> Self {
            // SAFETY: as above.
            Self(Pipe::from_foreign(unsafe { OwnedFd::from_raw_fd(fd) }))
        }
    }
}
