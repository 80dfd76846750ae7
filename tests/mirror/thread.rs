//! `std::thread`.

use crate::table::is_shared;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::time::Duration;

/// What a thread is made of here.
type F = fn() -> u8;

implements! {
    is_error: std::error::Error, Copy, Eq;
    is_handle: Send, Sync, Unpin, std::fmt::Debug;
    is_id: Copy, Eq, std::hash::Hash, std::fmt::Debug, Send, Sync;
}

mirror! {
    modules { io, thread }
    Reexported "thread::Result": std::result::Result<u8, Box<dyn Any + Send>> = thread::Result::Ok(1);
    Same "thread::AccessError": fn() = is_error::<thread::AccessError>;
    Same "thread::Builder": fn() = is_shared::<thread::Builder>;
    Same "thread::Builder::new": fn() -> thread::Builder = thread::Builder::new;
    Same "thread::Builder::name":
        fn(thread::Builder, String) -> thread::Builder
        = thread::Builder::name;
    Same "thread::Builder::stack_size":
        fn(thread::Builder, usize) -> thread::Builder
        = thread::Builder::stack_size;
    Same "thread::Builder::spawn":
        fn(thread::Builder, F) -> io::Result<thread::JoinHandle<u8>>
        = thread::Builder::spawn::<F, u8>;
    Same "thread::Builder::spawn_scoped":
        for<'s, 'e> fn(
            thread::Builder,
            &'s thread::Scope<'s, 'e>,
            F,
        ) -> io::Result<thread::ScopedJoinHandle<'s, u8>>
        = |builder, scope, f| builder.spawn_scoped(scope, f);
    Same "thread::Builder::spawn_unchecked":
        unsafe fn(thread::Builder, F) -> io::Result<thread::JoinHandle<u8>>
        = thread::Builder::spawn_unchecked::<F, u8>;
    Same "thread::JoinHandle": fn() = is_handle::<thread::JoinHandle<*mut u8>>;
    Same "thread::JoinHandle::thread":
        fn(&thread::JoinHandle<u8>) -> &thread::Thread
        = thread::JoinHandle::thread;
    Same "thread::JoinHandle::join":
        fn(thread::JoinHandle<u8>) -> thread::Result<u8>
        = thread::JoinHandle::join;
    Same "thread::JoinHandle::is_finished":
        fn(&thread::JoinHandle<u8>) -> bool
        = thread::JoinHandle::is_finished;
    Same "thread::LocalKey": PhantomData<thread::LocalKey<u8>> = PhantomData::<thread::LocalKey<u8>>;
    Same "thread::LocalKey::with":
        fn(&'static thread::LocalKey<u8>, fn(&u8) -> u8) -> u8
        = thread::LocalKey::with::<fn(&u8) -> u8, u8>;
    Same "thread::LocalKey::try_with":
        fn(&'static thread::LocalKey<u8>, fn(&u8) -> u8) -> Result<u8, thread::AccessError>
        = thread::LocalKey::try_with::<fn(&u8) -> u8, u8>;
    Same "thread::LocalKey::set":
        fn(&'static thread::LocalKey<Cell<u8>>, u8)
        = thread::LocalKey::<Cell<u8>>::set;
    Same "thread::LocalKey::get":
        fn(&'static thread::LocalKey<Cell<u8>>) -> u8
        = thread::LocalKey::<Cell<u8>>::get;
    Same "thread::LocalKey::take":
        fn(&'static thread::LocalKey<RefCell<u8>>) -> u8
        = thread::LocalKey::<RefCell<u8>>::take;
    Same "thread::LocalKey::replace":
        fn(&'static thread::LocalKey<RefCell<u8>>, u8) -> u8
        = thread::LocalKey::<RefCell<u8>>::replace;
    Same "thread::LocalKey::with_borrow":
        fn(&'static thread::LocalKey<RefCell<u8>>, fn(&u8) -> u8) -> u8
        = thread::LocalKey::<RefCell<u8>>::with_borrow::<fn(&u8) -> u8, u8>;
    Same "thread::LocalKey::with_borrow_mut":
        fn(&'static thread::LocalKey<RefCell<u8>>, fn(&mut u8) -> u8) -> u8
        = thread::LocalKey::<RefCell<u8>>::with_borrow_mut::<fn(&mut u8) -> u8, u8>;
    Same "thread::Scope": PhantomData<thread::Scope<'static, 'static>> = PhantomData;
    Same "thread::Scope::spawn":
        fn(&'static thread::Scope<'static, 'static>, F) -> thread::ScopedJoinHandle<'static, u8>
        = thread::Scope::spawn::<F, u8>;
    Same "thread::ScopedJoinHandle":
        fn(thread::ScopedJoinHandle<'static, u8>) -> thread::Result<u8>
        = thread::ScopedJoinHandle::join;
    Same "thread::ScopedJoinHandle::join":
        fn(thread::ScopedJoinHandle<'static, u8>) -> thread::Result<u8>
        = thread::ScopedJoinHandle::join;
    Same "thread::ScopedJoinHandle::thread":
        for<'a> fn(&'a thread::ScopedJoinHandle<'static, u8>) -> &'a thread::Thread
        = thread::ScopedJoinHandle::thread;
    Same "thread::ScopedJoinHandle::is_finished":
        for<'a> fn(&'a thread::ScopedJoinHandle<'static, u8>) -> bool
        = thread::ScopedJoinHandle::is_finished;
    Same "thread::Thread": fn() = is_shared::<thread::Thread>;
    Same "thread::Thread::id": fn(&thread::Thread) -> thread::ThreadId = thread::Thread::id;
    Same "thread::Thread::name": fn(&thread::Thread) -> Option<&str> = thread::Thread::name;
    Same "thread::Thread::unpark": fn(&thread::Thread) = thread::Thread::unpark;
    Same "thread::ThreadId": fn() = is_id::<thread::ThreadId>;
    Same "thread::available_parallelism":
        fn() -> io::Result<NonZeroUsize>
        = thread::available_parallelism;
    Same "thread::current": fn() -> thread::Thread = thread::current;
    Same "thread::panicking": fn() -> bool = thread::panicking;
    Same "thread::park": fn() = thread::park;
    Same "thread::park_timeout": fn(Duration) = thread::park_timeout;
    Same "thread::park_timeout_ms": fn(u32) = thread::park_timeout_ms;
    Same "thread::scope":
        fn(fn(&thread::Scope<'_, '_>) -> u8) -> u8
        = |f| thread::scope(|scope| f(scope));
    Same "thread::sleep": fn(Duration) = thread::sleep;
    Same "thread::sleep_ms": fn(u32) = thread::sleep_ms;
    Same "thread::spawn": fn(F) -> thread::JoinHandle<u8> = thread::spawn::<F, u8>;
    Same "thread::yield_now": fn() = thread::yield_now;
    Same "thread_local!";
    Absent "os::unix::thread::JoinHandleExt";
}
