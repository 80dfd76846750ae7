//! What every kind of socket can be turned into and made from: one macro, so that no kind is forgotten.

/// Implements, for a struct around a [`Socket`](crate::io::Socket), the traits of `std::os::fd` and the ways
/// from and to std's type of the same name.
macro_rules! fd_traits {
    ($ours:ty, $std:ty) => {
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

        impl ::std::os::fd::FromRawFd for $ours {
            unsafe fn from_raw_fd(fd: ::std::os::fd::RawFd) -> Self {
                // SAFETY: the caller's: an open descriptor that is his to give.
                unsafe { <::std::os::fd::OwnedFd as ::std::os::fd::FromRawFd>::from_raw_fd(fd) }
                    .into()
            }
        }

        /// Its flags stay as they are, for others may share them.
        impl From<::std::os::fd::OwnedFd> for $ours {
            fn from(fd: ::std::os::fd::OwnedFd) -> Self {
                Self($crate::io::Socket::from_foreign(fd))
            }
        }

        /// It leaves the reactor, and is set to wait unless it was set not to.
        impl From<$ours> for ::std::os::fd::OwnedFd {
            fn from(ours: $ours) -> Self {
                ours.0.into_fd()
            }
        }

        /// Its flags stay as they are, for others may share them.
        impl From<$std> for $ours {
            fn from(std: $std) -> Self {
                ::std::os::fd::OwnedFd::from(std).into()
            }
        }

        /// It leaves the reactor, and is set to wait unless it was set not to.
        impl From<$ours> for $std {
            fn from(ours: $ours) -> Self {
                ours.0.into_fd().into()
            }
        }
    };
}

/// Implements `Read` and `Write` for a stream and for references to it; the socket's method that reads is
/// given.
macro_rules! stream_traits {
    ($ours:ty, $read:ident) => {
        $crate::io::stream_traits!(=> $ours, $read);
        $crate::io::stream_traits!(=> &$ours, $read);
    };
    (=> $this:ty, $read:ident) => {
        impl ::std::io::Read for $this {
            #[inline]
            fn read(&mut self, buffer: &mut [u8]) -> ::std::io::Result<usize> {
                self.0.$read(buffer)
            }

            fn read_vectored(
                &mut self,
                buffers: &mut [::std::io::IoSliceMut<'_>],
            ) -> ::std::io::Result<usize> {
                self.0.recv_vectored(buffers)
            }
        }

        impl ::std::io::Write for $this {
            #[inline]
            fn write(&mut self, bytes: &[u8]) -> ::std::io::Result<usize> {
                self.0.send(bytes)
            }

            fn write_vectored(
                &mut self,
                parts: &[::std::io::IoSlice<'_>],
            ) -> ::std::io::Result<usize> {
                self.0.send_vectored(parts)
            }

            /// Does nothing: what was written is the kernel's.
            #[inline]
            fn flush(&mut self) -> ::std::io::Result<()> {
                Ok(())
            }
        }
    };
}

pub(crate) use {fd_traits, stream_traits};
