//! `std::time`.

use std::marker::PhantomData;

mirror! {
    modules { time }
    Reexported "time::Duration": PhantomData<std::time::Duration> = PhantomData::<time::Duration>;
    Reexported "time::Instant": PhantomData<std::time::Instant> = PhantomData::<time::Instant>;
    Reexported "time::SystemTime": PhantomData<std::time::SystemTime> = PhantomData::<time::SystemTime>;
    Reexported "time::SystemTimeError":
        PhantomData<std::time::SystemTimeError>
        = PhantomData::<time::SystemTimeError>;
    Reexported "time::TryFromFloatSecsError":
        PhantomData<std::time::TryFromFloatSecsError>
        = PhantomData::<time::TryFromFloatSecsError>;
    Reexported "time::UNIX_EPOCH": std::time::SystemTime = time::UNIX_EPOCH;
}
