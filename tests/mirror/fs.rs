//! `std::fs`.

use crate::table::{
    P, gives_descriptor, gives_stdio, is_descriptor, is_shared, reads, seeks, takes_descriptor,
    takes_raw_descriptor, writes,
};
use std::ffi::OsString;
use std::marker::PhantomData;
use std::os::unix::fs::{DirBuilderExt, DirEntryExt, FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::SystemTime;

implements! {
    at_offsets: FileExt;
    opens_as_unix: OpenOptionsExt, Clone;
    builds_as_unix: DirBuilderExt;
    enters_as_unix: DirEntryExt;
    is_error: std::error::Error;
}

mirror! {
    modules { fs, io }
    Same "fs::canonicalize": fn(P) -> io::Result<PathBuf> = fs::canonicalize::<P>;
    Same "fs::copy": fn(P, P) -> io::Result<u64> = fs::copy::<P, P>;
    Same "fs::create_dir": fn(P) -> io::Result<()> = fs::create_dir::<P>;
    Same "fs::create_dir_all": fn(P) -> io::Result<()> = fs::create_dir_all::<P>;
    Same "fs::exists": fn(P) -> io::Result<bool> = fs::exists::<P>;
    Same "fs::hard_link": fn(P, P) -> io::Result<()> = fs::hard_link::<P, P>;
    Same "fs::metadata": fn(P) -> io::Result<fs::Metadata> = fs::metadata::<P>;
    Same "fs::read": fn(P) -> io::Result<Vec<u8>> = fs::read::<P>;
    Same "fs::read_dir": fn(P) -> io::Result<fs::ReadDir> = fs::read_dir::<P>;
    Same "fs::read_link": fn(P) -> io::Result<PathBuf> = fs::read_link::<P>;
    Same "fs::read_to_string": fn(P) -> io::Result<String> = fs::read_to_string::<P>;
    Same "fs::remove_dir": fn(P) -> io::Result<()> = fs::remove_dir::<P>;
    Same "fs::remove_dir_all": fn(P) -> io::Result<()> = fs::remove_dir_all::<P>;
    Same "fs::remove_file": fn(P) -> io::Result<()> = fs::remove_file::<P>;
    Same "fs::rename": fn(P, P) -> io::Result<()> = fs::rename::<P, P>;
    Same "fs::set_permissions": fn(P, fs::Permissions) -> io::Result<()> = fs::set_permissions::<P>;
    Same "fs::soft_link": fn(P, P) -> io::Result<()> = fs::soft_link::<P, P>;
    Same "fs::symlink_metadata": fn(P) -> io::Result<fs::Metadata> = fs::symlink_metadata::<P>;
    Same "fs::write": fn(P, &'static [u8]) -> io::Result<()> = fs::write::<P, &'static [u8]>;
    Reexported "fs::FileTimes": PhantomData<std::fs::FileTimes> = PhantomData::<fs::FileTimes>;
    Reexported "fs::FileType": PhantomData<std::fs::FileType> = PhantomData::<fs::FileType>;
    Reexported "fs::Metadata": PhantomData<std::fs::Metadata> = PhantomData::<fs::Metadata>;
    Reexported "fs::Permissions": PhantomData<std::fs::Permissions> = PhantomData::<fs::Permissions>;
    Same "fs::File": PhantomData<fs::File> = PhantomData::<fs::File>;
    Same "fs::File::open": fn(P) -> io::Result<fs::File> = fs::File::open::<P>;
    Same "fs::File::create": fn(P) -> io::Result<fs::File> = fs::File::create::<P>;
    Same "fs::File::create_new": fn(P) -> io::Result<fs::File> = fs::File::create_new::<P>;
    Same "fs::File::options": fn() -> fs::OpenOptions = fs::File::options;
    Same "fs::File::sync_all": fn(&fs::File) -> io::Result<()> = fs::File::sync_all;
    Same "fs::File::sync_data": fn(&fs::File) -> io::Result<()> = fs::File::sync_data;
    Same "fs::File::lock": fn(&fs::File) -> io::Result<()> = fs::File::lock;
    Same "fs::File::lock_shared": fn(&fs::File) -> io::Result<()> = fs::File::lock_shared;
    Same "fs::File::unlock": fn(&fs::File) -> io::Result<()> = fs::File::unlock;
    Same "fs::File::try_lock": fn(&fs::File) -> Result<(), fs::TryLockError> = fs::File::try_lock;
    Same "fs::File::try_lock_shared":
        fn(&fs::File) -> Result<(), fs::TryLockError>
        = fs::File::try_lock_shared;
    Same "fs::File::set_len": fn(&fs::File, u64) -> io::Result<()> = fs::File::set_len;
    Same "fs::File::metadata": fn(&fs::File) -> io::Result<fs::Metadata> = fs::File::metadata;
    Same "fs::File::try_clone": fn(&fs::File) -> io::Result<fs::File> = fs::File::try_clone;
    Same "fs::File::set_permissions":
        fn(&fs::File, fs::Permissions) -> io::Result<()>
        = fs::File::set_permissions;
    Same "fs::File::set_times": fn(&fs::File, fs::FileTimes) -> io::Result<()> = fs::File::set_times;
    Same "fs::File::set_modified": fn(&fs::File, SystemTime) -> io::Result<()> = fs::File::set_modified;
    Same "impl Read for fs::File": fn() = reads::<fs::File>;
    Same "impl Write for fs::File": fn() = writes::<fs::File>;
    Same "impl Seek for fs::File": fn() = seeks::<fs::File>;
    Same "impl Read for &fs::File": fn() = reads::<&'static fs::File>;
    Same "impl Write for &fs::File": fn() = writes::<&'static fs::File>;
    Same "impl Seek for &fs::File": fn() = seeks::<&'static fs::File>;
    Same "impl AsFd, AsRawFd for fs::File": fn() = is_descriptor::<fs::File>;
    Same "impl IntoRawFd, Into<OwnedFd> for fs::File": fn() = gives_descriptor::<fs::File>;
    Same "impl From<OwnedFd> for fs::File": fn() = takes_descriptor::<fs::File>;
    Same "impl FromRawFd for fs::File": fn() = takes_raw_descriptor::<fs::File>;
    Same "impl Into<Stdio> for fs::File": fn() = gives_stdio::<fs::File>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for fs::File":
        fn()
        = is_shared::<fs::File>;
    Same "impl os::unix::fs::FileExt for fs::File": fn() = at_offsets::<fs::File>;
    Absent "impl Read, Write, Seek for Arc<fs::File>";
    Ours "impl IsTerminal for fs::File";
    Same "fs::OpenOptions": PhantomData<fs::OpenOptions> = PhantomData::<fs::OpenOptions>;
    Same "fs::OpenOptions::new": fn() -> fs::OpenOptions = fs::OpenOptions::new;
    Same "fs::OpenOptions::read":
        fn(&mut fs::OpenOptions, bool) -> &mut fs::OpenOptions
        = fs::OpenOptions::read;
    Same "fs::OpenOptions::write":
        fn(&mut fs::OpenOptions, bool) -> &mut fs::OpenOptions
        = fs::OpenOptions::write;
    Same "fs::OpenOptions::append":
        fn(&mut fs::OpenOptions, bool) -> &mut fs::OpenOptions
        = fs::OpenOptions::append;
    Same "fs::OpenOptions::truncate":
        fn(&mut fs::OpenOptions, bool) -> &mut fs::OpenOptions
        = fs::OpenOptions::truncate;
    Same "fs::OpenOptions::create":
        fn(&mut fs::OpenOptions, bool) -> &mut fs::OpenOptions
        = fs::OpenOptions::create;
    Same "fs::OpenOptions::create_new":
        fn(&mut fs::OpenOptions, bool) -> &mut fs::OpenOptions
        = fs::OpenOptions::create_new;
    Same "fs::OpenOptions::open":
        fn(&fs::OpenOptions, P) -> io::Result<fs::File>
        = fs::OpenOptions::open::<P>;
    Same "impl os::unix::fs::OpenOptionsExt, Clone for fs::OpenOptions":
        fn()
        = opens_as_unix::<fs::OpenOptions>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for fs::OpenOptions":
        fn()
        = is_shared::<fs::OpenOptions>;
    Same "fs::DirBuilder": PhantomData<fs::DirBuilder> = PhantomData::<fs::DirBuilder>;
    Same "fs::DirBuilder::new": fn() -> fs::DirBuilder = fs::DirBuilder::new;
    Same "fs::DirBuilder::recursive":
        fn(&mut fs::DirBuilder, bool) -> &mut fs::DirBuilder
        = fs::DirBuilder::recursive;
    Same "fs::DirBuilder::create": fn(&fs::DirBuilder, P) -> io::Result<()> = fs::DirBuilder::create::<P>;
    Same "impl os::unix::fs::DirBuilderExt for fs::DirBuilder": fn() = builds_as_unix::<fs::DirBuilder>;
    Same "fs::DirEntry": PhantomData<fs::DirEntry> = PhantomData::<fs::DirEntry>;
    Same "fs::DirEntry::path": fn(&fs::DirEntry) -> PathBuf = fs::DirEntry::path;
    Same "fs::DirEntry::metadata": fn(&fs::DirEntry) -> io::Result<fs::Metadata> = fs::DirEntry::metadata;
    Same "fs::DirEntry::file_type":
        fn(&fs::DirEntry) -> io::Result<fs::FileType>
        = fs::DirEntry::file_type;
    Same "fs::DirEntry::file_name": fn(&fs::DirEntry) -> OsString = fs::DirEntry::file_name;
    Same "impl os::unix::fs::DirEntryExt for fs::DirEntry": fn() = enters_as_unix::<fs::DirEntry>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for fs::DirEntry":
        fn()
        = is_shared::<fs::DirEntry>;
    Same "fs::ReadDir": PhantomData<fs::ReadDir> = PhantomData::<fs::ReadDir>;
    Same "impl Iterator for fs::ReadDir":
        fn(&mut fs::ReadDir) -> Option<io::Result<fs::DirEntry>>
        = <fs::ReadDir as Iterator>::next;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for fs::ReadDir":
        fn()
        = is_shared::<fs::ReadDir>;
    Same "fs::TryLockError": fn(io::Error) -> fs::TryLockError = fs::TryLockError::Error;
    Same "fs::TryLockError::WouldBlock": fs::TryLockError = fs::TryLockError::WouldBlock;
    Same "impl Error for fs::TryLockError": fn() = is_error::<fs::TryLockError>;
    Same "impl From<fs::TryLockError> for io::Error": fn(fs::TryLockError) -> io::Error = io::Error::from;
}
