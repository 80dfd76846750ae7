//! The `select!` macro: reads the arms one by one, then makes an array of operations of them.

/// Waits until one of several operations is ready, does it, and goes on in its arm. If several are ready, one is
/// chosen at random; [`select_biased!`](super::select_biased!) chooses the first.
///
/// ```text
/// select! {
///     recv(receiver) -> message => …,          message is a Result<T, RecvError>
///     send(sender, value) -> sent => …,        sent is a Result<(), SendError<T>>
///     default => …,                            none is ready
///     default(timeout) => …,                   none has become ready in time
/// }
/// ```
///
/// There may be any of the first two, and at most one `default`. What comes after `->` is a pattern that takes
/// any value. `value` is evaluated only when the message can be sent. An arm that is a block needs no comma.
/// An operation is ready when it would not have to wait, also if it will fail because its channel is disconnected.
///
/// Without `default` it waits; that is a cancellation point, by which nothing is lost. It allocates nothing. With
/// [`after`](super::after), [`at`](super::at) and [`tick`](super::tick) it waits for times as well. For a set of
/// operations that is known only when the program runs, see [`Select`](super::Select).
///
/// The syntax is crossbeam-channel's.
///
/// ```
/// use kettle::channel::{after, bounded, select, unbounded};
/// use kettle::thread;
/// use std::time::Duration;
///
/// let (sender, numbers) = unbounded();
/// let (quit, told_to_quit) = bounded::<()>(0);
/// let counter = thread::spawn(move || {
///     let mut sum = 0;
///     loop {
///         select! {
///             recv(numbers) -> number => sum += number.unwrap(),
///             recv(told_to_quit) -> _ => break sum,
///             recv(after(Duration::from_secs(60))) -> _ => panic!("nobody sends any more"),
///         }
///     }
/// });
/// for number in 1..=4 {
///     sender.send(number).unwrap();
/// }
/// while !sender.is_empty() {
///     thread::yield_now();
/// }
/// drop(quit);
/// assert_eq!(counter.join().unwrap(), 10);
/// ```
#[macro_export]
macro_rules! select {
    ($($arms:tt)*) => {
        $crate::__select!(@first false $($arms)*)
    };
}

/// As [`select!`](super::select!), but if several operations are ready it chooses the one that stands first.
///
/// ```
/// use kettle::channel::{select_biased, unbounded};
///
/// let (urgent, first) = unbounded();
/// let (_usual, second) = unbounded::<&str>();
/// urgent.send("whistle").unwrap();
/// select_biased! {
///     recv(first) -> message => assert_eq!(message, Ok("whistle")),
///     recv(second) -> _ => unreachable!(),
/// }
/// ```
#[macro_export]
macro_rules! select_biased {
    ($($arms:tt)*) => {
        $crate::__select!(@first true $($arms)*)
    };
}

/// First each arm is read (`@arms`) and written down as `(kind (arguments) pattern body)`, then each operation gets
/// a name and an index (`@name`), then all of them are waited for (`@run`) and the one that was selected is done
/// (`@do`). The name is the same for all, but each expansion has its own.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    (@first $biased:ident) => {
        compile_error!("empty `select!` block")
    };
    (@first $biased:ident $($arms:tt)+) => {
        $crate::__select!(@arms $biased () () $($arms)+)
    };

    // All arms are read.
    (@arms $biased:ident $done:tt $default:tt) => {
        $crate::__select!(@name $biased $default (0usize) () $done)
    };

    // A default arm, made uniform.
    (@arms $biased:ident $done:tt $default:tt default => $($rest:tt)*) => {
        $crate::__select!(@arms $biased $done $default default() => $($rest)*)
    };
    (@arms $biased:ident $done:tt ($($default:tt)+) default $($rest:tt)*) => {
        compile_error!("there can be only one `default` case in a `select!` block")
    };
    (@arms $biased:ident $done:tt () default($($timeout:expr)? $(,)?) => $body:block, $($rest:tt)*) => {
        $crate::__select!(@arms $biased $done (($($timeout)?) $body) $($rest)*)
    };
    (@arms $biased:ident $done:tt () default($($timeout:expr)? $(,)?) => { $($body:tt)* } $($rest:tt)*) => {
        $crate::__select!(@arms $biased $done (($($timeout)?) { $($body)* }) $($rest)*)
    };
    (@arms $biased:ident $done:tt () default($($timeout:expr)? $(,)?) => $body:expr, $($rest:tt)*) => {
        $crate::__select!(@arms $biased $done (($($timeout)?) $body) $($rest)*)
    };
    (@arms $biased:ident $done:tt () default($($timeout:expr)? $(,)?) => $body:expr) => {
        $crate::__select!(@arms $biased $done (($($timeout)?) $body))
    };

    // A receiving arm.
    (@arms $biased:ident ($($done:tt)*) $default:tt
        recv($receiver:expr $(,)?) -> $result:pat => { $($body:tt)* }, $($rest:tt)*) => {
        $crate::__select!(@arms $biased
            ($($done)* (recv ($receiver) $result, { $($body)* })) $default $($rest)*)
    };
    (@arms $biased:ident ($($done:tt)*) $default:tt
        recv($receiver:expr $(,)?) -> $result:pat => { $($body:tt)* } $($rest:tt)*) => {
        $crate::__select!(@arms $biased
            ($($done)* (recv ($receiver) $result, { $($body)* })) $default $($rest)*)
    };
    (@arms $biased:ident ($($done:tt)*) $default:tt
        recv($receiver:expr $(,)?) -> $result:pat => $body:expr, $($rest:tt)*) => {
        $crate::__select!(@arms $biased
            ($($done)* (recv ($receiver) $result, $body)) $default $($rest)*)
    };
    (@arms $biased:ident ($($done:tt)*) $default:tt
        recv($receiver:expr $(,)?) -> $result:pat => $body:expr) => {
        $crate::__select!(@arms $biased
            ($($done)* (recv ($receiver) $result, $body)) $default)
    };

    // A sending arm.
    (@arms $biased:ident ($($done:tt)*) $default:tt
        send($sender:expr, $value:expr $(,)?) -> $result:pat => { $($body:tt)* }, $($rest:tt)*) => {
        $crate::__select!(@arms $biased
            ($($done)* (send ($sender, $value) $result, { $($body)* })) $default $($rest)*)
    };
    (@arms $biased:ident ($($done:tt)*) $default:tt
        send($sender:expr, $value:expr $(,)?) -> $result:pat => { $($body:tt)* } $($rest:tt)*) => {
        $crate::__select!(@arms $biased
            ($($done)* (send ($sender, $value) $result, { $($body)* })) $default $($rest)*)
    };
    (@arms $biased:ident ($($done:tt)*) $default:tt
        send($sender:expr, $value:expr $(,)?) -> $result:pat => $body:expr, $($rest:tt)*) => {
        $crate::__select!(@arms $biased
            ($($done)* (send ($sender, $value) $result, $body)) $default $($rest)*)
    };
    (@arms $biased:ident ($($done:tt)*) $default:tt
        send($sender:expr, $value:expr $(,)?) -> $result:pat => $body:expr) => {
        $crate::__select!(@arms $biased
            ($($done)* (send ($sender, $value) $result, $body)) $default)
    };

    // What cannot be read.
    (@arms $biased:ident $done:tt $default:tt default $arguments:tt -> $($rest:tt)*) => {
        compile_error!("expected `=>` after `default` case, found `->`")
    };
    (@arms $biased:ident $done:tt $default:tt default -> $($rest:tt)*) => {
        compile_error!("expected `=>` after `default` case, found `->`")
    };
    (@arms $biased:ident $done:tt $default:tt recv $arguments:tt => $($rest:tt)*) => {
        compile_error!("expected `->` after `recv` case, found `=>`")
    };
    (@arms $biased:ident $done:tt $default:tt send $arguments:tt => $($rest:tt)*) => {
        compile_error!("expected `->` after `send` operation, found `=>`")
    };
    (@arms $biased:ident $done:tt $default:tt $kind:ident ($($arguments:tt)*) $(-> $result:pat)? => $body:expr; $($rest:tt)*) => {
        compile_error!(concat!(
            "did you mean to put a comma instead of the semicolon after `", stringify!($body), "`?"
        ))
    };
    (@arms $biased:ident $done:tt $default:tt recv $arguments:tt -> $result:pat => $($rest:tt)*) => {
        compile_error!(concat!(
            "invalid argument list in `recv", stringify!($arguments),
            "`, or no comma after the expression of this arm"
        ))
    };
    (@arms $biased:ident $done:tt $default:tt send $arguments:tt -> $result:pat => $($rest:tt)*) => {
        compile_error!(concat!(
            "invalid argument list in `send", stringify!($arguments),
            "`, or no comma after the expression of this arm"
        ))
    };
    (@arms $biased:ident $done:tt $default:tt recv $($rest:tt)*) => {
        compile_error!("expected `recv(receiver) -> message => expression`")
    };
    (@arms $biased:ident $done:tt $default:tt send $($rest:tt)*) => {
        compile_error!("expected `send(sender, value) -> result => expression`")
    };
    (@arms $biased:ident $done:tt $default:tt default $($rest:tt)*) => {
        compile_error!("expected `default => expression` or `default(timeout) => expression`")
    };
    (@arms $biased:ident $done:tt $default:tt $other:tt $($rest:tt)*) => {
        compile_error!(concat!(
            "expected one of `recv`, `send`, or `default`, found `", stringify!($other), "`"
        ))
    };

    // Short cuts that need no select.
    (@name $biased:ident () (0usize) () ((recv ($receiver:expr) $result:pat, $body:expr))) => {
        match $receiver {
            ref operation => {
                let $result = $crate::channel::internal::receiver(operation).recv();
                $body
            }
        }
    };
    (@name $biased:ident (() $other:expr) (0usize) () ((recv ($receiver:expr) $result:pat, $body:expr))) => {
        match $receiver {
            ref operation => match $crate::channel::internal::try_recv($crate::channel::internal::receiver(operation)) {
                ::core::option::Option::Some(result) => {
                    let $result = result;
                    $body
                }
                ::core::option::Option::None => $other,
            },
        }
    };

    // Each operation gets a name, and keeps alive what its expression has made.
    (@name $biased:ident $default:tt $index:tt ($($named:tt)*)
        ((recv ($receiver:expr) $result:pat, $body:expr) $($rest:tt)*)) => {
        match $receiver {
            ref operation => $crate::__select!(@name $biased $default (1usize + $index)
                ($($named)* (recv operation $index () $result, $body)) ($($rest)*)),
        }
    };
    (@name $biased:ident $default:tt $index:tt ($($named:tt)*)
        ((send ($sender:expr, $value:expr) $result:pat, $body:expr) $($rest:tt)*)) => {
        match $sender {
            ref operation => $crate::__select!(@name $biased $default (1usize + $index)
                ($($named)* (send operation $index ($value) $result, $body)) ($($rest)*)),
        }
    };
    (@name $biased:ident () $index:tt ($($named:tt)*) ()) => {{
        let selected = $crate::__select!(@run $biased select () $($named)*);
        $crate::__select!(@do selected $($named)*)
    }};
    (@name $biased:ident (() $other:expr) $index:tt ($($named:tt)*) ()) => {
        match $crate::__select!(@run $biased try_select () $($named)*) {
            ::core::option::Option::None => $other,
            ::core::option::Option::Some(selected) => $crate::__select!(@do selected $($named)*),
        }
    };
    (@name $biased:ident (($timeout:expr) $other:expr) $index:tt ($($named:tt)*) ()) => {
        match $crate::__select!(@run $biased select_timeout ($timeout,) $($named)*) {
            ::core::option::Option::None => $other,
            ::core::option::Option::Some(selected) => $crate::__select!(@do selected $($named)*),
        }
    };

    (@run $biased:ident $how:ident ($($timeout:tt)*)
        $(($kind:ident $operation:ident $index:tt $value:tt $result:pat, $body:expr))*) => {
        $crate::channel::internal::$how(
            &mut [$($crate::channel::internal::$kind($operation, $index)),*],
            $($timeout)*
            $biased,
        )
    };

    (@do $selected:ident) => {
        ::core::unreachable!("one of the operations was selected")
    };
    (@do $selected:ident (recv $operation:ident $index:tt () $result:pat, $body:expr) $($rest:tt)*) => {
        if $selected.index() == $index {
            let $result = $selected.recv($crate::channel::internal::receiver($operation));
            $body
        } else {
            $crate::__select!(@do $selected $($rest)*)
        }
    };
    (@do $selected:ident (send $operation:ident $index:tt ($value:expr) $result:pat, $body:expr) $($rest:tt)*) => {
        if $selected.index() == $index {
            let $result = $selected.send($crate::channel::internal::sender($operation), $value);
            $body
        } else {
            $crate::__select!(@do $selected $($rest)*)
        }
    };
}
