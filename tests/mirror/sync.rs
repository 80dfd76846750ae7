//! `std::sync`.

use crate::table::is_shared;
use std::cell::Cell;
use std::fmt::{Debug, Display};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{LockResult as R, TryLockResult as T};
use std::time::Duration;

type F = fn(&mut u8) -> bool;

implements! {
    is_made: From<u8>, Default;
    is_unwind_safe: UnwindSafe, RefUnwindSafe;
    is_guard: Deref<Target = u8>, Debug, Display, Sync;
    is_guard_mut: DerefMut<Target = u8>, Debug, Display, Sync;
    is_plain: Copy, Eq, Debug;
    is_debug: Debug;
    is_cloned: Clone, Eq;
    is_for_one: Send, Debug, Unpin, UnwindSafe, RefUnwindSafe;
    is_iterator: Iterator<Item = u8>, Debug;
}

mirror! {
    modules { sync }
    Reexported "sync::Arc": PhantomData<std::sync::Arc<u8>> = PhantomData::<sync::Arc<u8>>;
    Reexported "sync::Weak": PhantomData<std::sync::Weak<u8>> = PhantomData::<sync::Weak<u8>>;
    Reexported "sync::atomic":
        PhantomData<std::sync::atomic::AtomicU8>
        = PhantomData::<sync::atomic::AtomicU8>;
    Reexported "sync::PoisonError":
        PhantomData<std::sync::PoisonError<u8>>
        = PhantomData::<sync::PoisonError<u8>>;
    Reexported "sync::TryLockError":
        PhantomData<std::sync::TryLockError<u8>>
        = PhantomData::<sync::TryLockError<u8>>;
    Reexported "sync::LockResult":
        PhantomData<std::sync::LockResult<u8>>
        = PhantomData::<sync::LockResult<u8>>;
    Reexported "sync::TryLockResult":
        PhantomData<std::sync::TryLockResult<u8>>
        = PhantomData::<sync::TryLockResult<u8>>;
    Same "sync::Mutex": PhantomData<sync::Mutex<u8>> = PhantomData::<sync::Mutex<u8>>;
    Same "sync::Mutex::new": fn(u8) -> sync::Mutex<u8> = sync::Mutex::new;
    Same "sync::Mutex::lock":
        fn(&sync::Mutex<u8>) -> R<sync::MutexGuard<'_, u8>>
        = sync::Mutex::lock;
    Same "sync::Mutex::try_lock":
        fn(&sync::Mutex<u8>) -> T<sync::MutexGuard<'_, u8>>
        = sync::Mutex::try_lock;
    Same "sync::Mutex::is_poisoned": fn(&sync::Mutex<u8>) -> bool = sync::Mutex::is_poisoned;
    Same "sync::Mutex::clear_poison": fn(&sync::Mutex<u8>) = sync::Mutex::clear_poison;
    Same "sync::Mutex::into_inner": fn(sync::Mutex<u8>) -> R<u8> = sync::Mutex::into_inner;
    Same "sync::Mutex::get_mut": fn(&mut sync::Mutex<u8>) -> R<&mut u8> = sync::Mutex::get_mut;
    Same "impl From<T>, Default for sync::Mutex": fn() = is_made::<sync::Mutex<u8>>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for sync::Mutex":
        fn()
        = is_shared::<sync::Mutex<u8>>;
    Same "impl UnwindSafe, RefUnwindSafe for sync::Mutex of anything":
        fn()
        = is_unwind_safe::<sync::Mutex<Cell<u8>>>;
    Same "sync::MutexGuard":
        PhantomData<sync::MutexGuard<'static, u8>>
        = PhantomData::<sync::MutexGuard<'static, u8>>;
    Same "impl Deref, DerefMut, Debug, Display, Sync for sync::MutexGuard":
        fn()
        = is_guard_mut::<sync::MutexGuard<'static, u8>>;
    Same "sync::RwLock": PhantomData<sync::RwLock<u8>> = PhantomData::<sync::RwLock<u8>>;
    Same "sync::RwLock::new": fn(u8) -> sync::RwLock<u8> = sync::RwLock::new;
    Same "sync::RwLock::read":
        fn(&sync::RwLock<u8>) -> R<sync::RwLockReadGuard<'_, u8>>
        = sync::RwLock::read;
    Same "sync::RwLock::try_read":
        fn(&sync::RwLock<u8>) -> T<sync::RwLockReadGuard<'_, u8>>
        = sync::RwLock::try_read;
    Same "sync::RwLock::write":
        fn(&sync::RwLock<u8>) -> R<sync::RwLockWriteGuard<'_, u8>>
        = sync::RwLock::write;
    Same "sync::RwLock::try_write":
        fn(&sync::RwLock<u8>) -> T<sync::RwLockWriteGuard<'_, u8>>
        = sync::RwLock::try_write;
    Same "sync::RwLock::is_poisoned": fn(&sync::RwLock<u8>) -> bool = sync::RwLock::is_poisoned;
    Same "sync::RwLock::clear_poison": fn(&sync::RwLock<u8>) = sync::RwLock::clear_poison;
    Same "sync::RwLock::into_inner": fn(sync::RwLock<u8>) -> R<u8> = sync::RwLock::into_inner;
    Same "sync::RwLock::get_mut": fn(&mut sync::RwLock<u8>) -> R<&mut u8> = sync::RwLock::get_mut;
    Same "impl From<T>, Default for sync::RwLock": fn() = is_made::<sync::RwLock<u8>>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for sync::RwLock":
        fn()
        = is_shared::<sync::RwLock<u8>>;
    Same "sync::RwLockReadGuard":
        PhantomData<sync::RwLockReadGuard<'static, u8>>
        = PhantomData::<sync::RwLockReadGuard<'static, u8>>;
    Same "impl Deref, Debug, Display, Sync for sync::RwLockReadGuard":
        fn()
        = is_guard::<sync::RwLockReadGuard<'static, u8>>;
    Same "sync::RwLockWriteGuard":
        PhantomData<sync::RwLockWriteGuard<'static, u8>>
        = PhantomData::<sync::RwLockWriteGuard<'static, u8>>;
    Same "sync::RwLockWriteGuard::downgrade":
        fn(sync::RwLockWriteGuard<'static, u8>) -> sync::RwLockReadGuard<'static, u8>
        = sync::RwLockWriteGuard::downgrade;
    Same "impl Deref, DerefMut, Debug, Display, Sync for sync::RwLockWriteGuard":
        fn()
        = is_guard_mut::<sync::RwLockWriteGuard<'static, u8>>;
    Same "sync::Condvar": PhantomData<sync::Condvar> = PhantomData::<sync::Condvar>;
    Same "sync::Condvar::new": fn() -> sync::Condvar = sync::Condvar::new;
    Same "sync::Condvar::wait":
        for<'a> fn(&sync::Condvar, sync::MutexGuard<'a, u8>) -> R<sync::MutexGuard<'a, u8>>
        = sync::Condvar::wait::<u8>;
    Same "sync::Condvar::wait_while":
        for<'a> fn(&sync::Condvar, sync::MutexGuard<'a, u8>, F) -> R<sync::MutexGuard<'a, u8>>
        = sync::Condvar::wait_while::<u8, F>;
    Same "sync::Condvar::wait_timeout":
        for<'a> fn(&sync::Condvar, sync::MutexGuard<'a, u8>, Duration) -> R<(sync::MutexGuard<'a, u8>, sync::WaitTimeoutResult)>
        = sync::Condvar::wait_timeout::<u8>;
    Same "sync::Condvar::wait_timeout_ms":
        for<'a> fn(&sync::Condvar, sync::MutexGuard<'a, u8>, u32) -> R<(sync::MutexGuard<'a, u8>, bool)>
        = sync::Condvar::wait_timeout_ms::<u8>;
    Same "sync::Condvar::wait_timeout_while":
        for<'a> fn(&sync::Condvar, sync::MutexGuard<'a, u8>, Duration, F) -> R<(sync::MutexGuard<'a, u8>, sync::WaitTimeoutResult)>
        = sync::Condvar::wait_timeout_while::<u8, F>;
    Same "sync::Condvar::notify_one": fn(&sync::Condvar) = sync::Condvar::notify_one;
    Same "sync::Condvar::notify_all": fn(&sync::Condvar) = sync::Condvar::notify_all;
    Same "impl Default for sync::Condvar": fn() -> sync::Condvar = Default::default;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for sync::Condvar":
        fn()
        = is_shared::<sync::Condvar>;
    Same "sync::WaitTimeoutResult":
        PhantomData<sync::WaitTimeoutResult>
        = PhantomData::<sync::WaitTimeoutResult>;
    Same "sync::WaitTimeoutResult::timed_out":
        fn(&sync::WaitTimeoutResult) -> bool
        = sync::WaitTimeoutResult::timed_out;
    Same "impl Copy, Eq, Debug for sync::WaitTimeoutResult":
        fn()
        = is_plain::<sync::WaitTimeoutResult>;
    Same "sync::Barrier": PhantomData<sync::Barrier> = PhantomData::<sync::Barrier>;
    Same "sync::Barrier::new": fn(usize) -> sync::Barrier = sync::Barrier::new;
    Same "sync::Barrier::wait": fn(&sync::Barrier) -> sync::BarrierWaitResult = sync::Barrier::wait;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for sync::Barrier":
        fn()
        = is_shared::<sync::Barrier>;
    Same "sync::BarrierWaitResult":
        PhantomData<sync::BarrierWaitResult>
        = PhantomData::<sync::BarrierWaitResult>;
    Same "sync::BarrierWaitResult::is_leader":
        fn(&sync::BarrierWaitResult) -> bool
        = sync::BarrierWaitResult::is_leader;
    Same "impl Debug for sync::BarrierWaitResult": fn() = is_debug::<sync::BarrierWaitResult>;
    Same "sync::Once": PhantomData<sync::Once> = PhantomData::<sync::Once>;
    Same "sync::Once::new": fn() -> sync::Once = sync::Once::new;
    Same "sync::Once::call_once": fn(&sync::Once, fn()) = sync::Once::call_once::<fn()>;
    Same "sync::Once::call_once_force":
        fn(&sync::Once, fn(&sync::OnceState))
        = sync::Once::call_once_force::<fn(&sync::OnceState)>;
    Same "sync::Once::is_completed": fn(&sync::Once) -> bool = sync::Once::is_completed;
    Same "sync::Once::wait": fn(&sync::Once) = sync::Once::wait;
    Same "sync::Once::wait_force": fn(&sync::Once) = sync::Once::wait_force;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for sync::Once":
        fn()
        = is_shared::<sync::Once>;
    Same "sync::OnceState": PhantomData<sync::OnceState> = PhantomData::<sync::OnceState>;
    Same "sync::OnceState::is_poisoned":
        fn(&sync::OnceState) -> bool
        = sync::OnceState::is_poisoned;
    Same "impl Debug for sync::OnceState": fn() = is_debug::<sync::OnceState>;
    Absent "sync::ONCE_INIT";
    Same "sync::OnceLock": PhantomData<sync::OnceLock<u8>> = PhantomData::<sync::OnceLock<u8>>;
    Same "sync::OnceLock::new": fn() -> sync::OnceLock<u8> = sync::OnceLock::new;
    Same "sync::OnceLock::get": fn(&sync::OnceLock<u8>) -> Option<&u8> = sync::OnceLock::get;
    Same "sync::OnceLock::get_mut":
        fn(&mut sync::OnceLock<u8>) -> Option<&mut u8>
        = sync::OnceLock::get_mut;
    Same "sync::OnceLock::set": fn(&sync::OnceLock<u8>, u8) -> Result<(), u8> = sync::OnceLock::set;
    Same "sync::OnceLock::get_or_init":
        fn(&sync::OnceLock<u8>, fn() -> u8) -> &u8
        = sync::OnceLock::get_or_init::<fn() -> u8>;
    Same "sync::OnceLock::wait": fn(&sync::OnceLock<u8>) -> &u8 = sync::OnceLock::wait;
    Same "sync::OnceLock::take": fn(&mut sync::OnceLock<u8>) -> Option<u8> = sync::OnceLock::take;
    Same "sync::OnceLock::into_inner":
        fn(sync::OnceLock<u8>) -> Option<u8>
        = sync::OnceLock::into_inner;
    Same "impl From<T>, Default for sync::OnceLock": fn() = is_made::<sync::OnceLock<u8>>;
    Same "impl Clone, Eq for sync::OnceLock": fn() = is_cloned::<sync::OnceLock<u8>>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for sync::OnceLock":
        fn()
        = is_shared::<sync::OnceLock<u8>>;
    Same "sync::LazyLock": PhantomData<sync::LazyLock<u8>> = PhantomData::<sync::LazyLock<u8>>;
    Same "sync::LazyLock::new": fn(fn() -> u8) -> sync::LazyLock<u8> = sync::LazyLock::new;
    Same "sync::LazyLock::force": fn(&sync::LazyLock<u8>) -> &u8 = sync::LazyLock::force;
    Same "sync::LazyLock::force_mut":
        fn(&mut sync::LazyLock<u8>) -> &mut u8
        = sync::LazyLock::force_mut;
    Same "sync::LazyLock::get": fn(&sync::LazyLock<u8>) -> Option<&u8> = sync::LazyLock::get;
    Same "sync::LazyLock::get_mut":
        fn(&mut sync::LazyLock<u8>) -> Option<&mut u8>
        = sync::LazyLock::get_mut;
    Same "impl Deref for sync::LazyLock": fn(&sync::LazyLock<u8>) -> &u8 = std::ops::Deref::deref;
    Same "impl Default for sync::LazyLock": fn() -> sync::LazyLock<u8> = Default::default;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for sync::LazyLock":
        fn()
        = is_shared::<sync::LazyLock<u8>>;
    Reexported "sync::mpsc::SendError":
        PhantomData<std::sync::mpsc::SendError<u8>>
        = PhantomData::<sync::mpsc::SendError<u8>>;
    Reexported "sync::mpsc::RecvError":
        PhantomData<std::sync::mpsc::RecvError>
        = PhantomData::<sync::mpsc::RecvError>;
    Reexported "sync::mpsc::TryRecvError":
        PhantomData<std::sync::mpsc::TryRecvError>
        = PhantomData::<sync::mpsc::TryRecvError>;
    Reexported "sync::mpsc::RecvTimeoutError":
        PhantomData<std::sync::mpsc::RecvTimeoutError>
        = PhantomData::<sync::mpsc::RecvTimeoutError>;
    Reexported "sync::mpsc::TrySendError":
        PhantomData<std::sync::mpsc::TrySendError<u8>>
        = PhantomData::<sync::mpsc::TrySendError<u8>>;
    Same "sync::mpsc::channel":
        fn() -> (sync::mpsc::Sender<u8>, sync::mpsc::Receiver<u8>)
        = sync::mpsc::channel;
    Same "sync::mpsc::sync_channel":
        fn(usize) -> (sync::mpsc::SyncSender<u8>, sync::mpsc::Receiver<u8>)
        = sync::mpsc::sync_channel;
    Same "sync::mpsc::Sender":
        PhantomData<sync::mpsc::Sender<u8>>
        = PhantomData::<sync::mpsc::Sender<u8>>;
    Same "sync::mpsc::Sender::send":
        fn(&sync::mpsc::Sender<u8>, u8) -> Result<(), std::sync::mpsc::SendError<u8>>
        = sync::mpsc::Sender::send;
    Same "impl Clone for sync::mpsc::Sender":
        fn(&sync::mpsc::Sender<u8>) -> sync::mpsc::Sender<u8>
        = Clone::clone;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for sync::mpsc::Sender":
        fn()
        = is_shared::<sync::mpsc::Sender<u8>>;
    Same "sync::mpsc::SyncSender":
        PhantomData<sync::mpsc::SyncSender<u8>>
        = PhantomData::<sync::mpsc::SyncSender<u8>>;
    Same "sync::mpsc::SyncSender::send":
        fn(&sync::mpsc::SyncSender<u8>, u8) -> Result<(), std::sync::mpsc::SendError<u8>>
        = sync::mpsc::SyncSender::send;
    Same "sync::mpsc::SyncSender::try_send":
        fn(&sync::mpsc::SyncSender<u8>, u8) -> Result<(), std::sync::mpsc::TrySendError<u8>>
        = sync::mpsc::SyncSender::try_send;
    Same "impl Clone for sync::mpsc::SyncSender":
        fn(&sync::mpsc::SyncSender<u8>) -> sync::mpsc::SyncSender<u8>
        = Clone::clone;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for sync::mpsc::SyncSender":
        fn()
        = is_shared::<sync::mpsc::SyncSender<u8>>;
    Same "sync::mpsc::Receiver":
        PhantomData<sync::mpsc::Receiver<u8>>
        = PhantomData::<sync::mpsc::Receiver<u8>>;
    Same "sync::mpsc::Receiver::recv":
        fn(&sync::mpsc::Receiver<u8>) -> Result<u8, std::sync::mpsc::RecvError>
        = sync::mpsc::Receiver::recv;
    Same "sync::mpsc::Receiver::try_recv":
        fn(&sync::mpsc::Receiver<u8>) -> Result<u8, std::sync::mpsc::TryRecvError>
        = sync::mpsc::Receiver::try_recv;
    Same "sync::mpsc::Receiver::recv_timeout":
        fn(&sync::mpsc::Receiver<u8>, Duration) -> Result<u8, std::sync::mpsc::RecvTimeoutError>
        = sync::mpsc::Receiver::recv_timeout;
    Same "sync::mpsc::Receiver::iter":
        fn(&sync::mpsc::Receiver<u8>) -> sync::mpsc::Iter<'_, u8>
        = sync::mpsc::Receiver::iter;
    Same "sync::mpsc::Receiver::try_iter":
        fn(&sync::mpsc::Receiver<u8>) -> sync::mpsc::TryIter<'_, u8>
        = sync::mpsc::Receiver::try_iter;
    Same "impl IntoIterator for sync::mpsc::Receiver":
        fn(sync::mpsc::Receiver<u8>) -> sync::mpsc::IntoIter<u8>
        = IntoIterator::into_iter;
    Same "impl IntoIterator for &sync::mpsc::Receiver":
        fn(&'static sync::mpsc::Receiver<u8>) -> sync::mpsc::Iter<'static, u8>
        = IntoIterator::into_iter;
    Same "impl Debug, Send, Unpin, UnwindSafe, RefUnwindSafe for sync::mpsc::Receiver":
        fn()
        = is_for_one::<sync::mpsc::Receiver<u8>>;
    Same "sync::mpsc::Iter": fn() = is_iterator::<sync::mpsc::Iter<'static, u8>>;
    Same "sync::mpsc::TryIter": fn() = is_iterator::<sync::mpsc::TryIter<'static, u8>>;
    Same "sync::mpsc::IntoIter": fn() = is_iterator::<sync::mpsc::IntoIter<u8>>;
}
