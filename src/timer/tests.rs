use super::*;
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;

const TICK: Duration = Duration::from_nanos(1 << TICK_SHIFT);

fn timers(count: usize) -> Vec<Pin<Box<Timer<usize>>>> {
    (0..count).map(|number| Box::pin(Timer::new(number))).collect()
}

fn fired(wheel: &Wheel<usize>, now: Instant) -> Vec<usize> {
    let fired = RefCell::new(Vec::new());
    wheel.advance(now, |&number| fired.borrow_mut().push(number));
    fired.into_inner()
}

#[test]
fn a_timer_never_fires_before_its_deadline_and_not_a_tick_after_it() {
    let wheel = Wheel::new();
    let timers = timers(1);
    for nanos in [0, 1, 65_535, 65_536, 65_537, 4_194_304, 999_999_999, 3_600_000_000_000] {
        let deadline =
            wheel.start + TICK * wheel.present.get() as u32 + Duration::from_nanos(nanos);
        // SAFETY: it outlives the wheel's use of it: it fires.
        unsafe { wheel.insert(timers[0].as_ref(), deadline) };
        let next = wheel.next().unwrap();
        assert!(next >= deadline && next <= deadline + TICK * 2, "{nanos}");
        assert_eq!(fired(&wheel, next - Duration::from_nanos(1)), []);
        assert_eq!(fired(&wheel, next), [0]);
        assert!(wheel.is_empty() && wheel.next().is_none());
    }
}

#[test]
fn a_deadline_beyond_what_can_be_counted_is_kept_and_can_be_taken_out() {
    let wheel = Wheel::new();
    let timers = timers(1);
    let far = wheel.start + Duration::from_secs(u64::from(u32::MAX) * 8);
    // SAFETY: taken out below.
    unsafe { wheel.insert(timers[0].as_ref(), far) };
    assert_eq!(fired(&wheel, wheel.start + Duration::from_secs(u64::from(u32::MAX))), []);
    wheel.remove(timers[0].as_ref());
    wheel.remove(timers[0].as_ref());
    assert!(wheel.is_empty());
}

/// What is done to a wheel of 64 timers.
#[derive(Clone, Debug)]
enum Step {
    /// Sets a timer, so many nanoseconds from now.
    Set(usize, u64),
    TakeOut(usize),
    /// Lets so many nanoseconds go by.
    Pass(u64),
    /// Lets time go by until the wheel wants to be looked at.
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    // Every order of magnitude, down from an hour.
    let nanos = (0_u32..42).prop_flat_map(|bits| 0..1_u64 << bits);
    prop_oneof![
        4 => (0..64_usize, nanos.clone()).prop_map(|(number, nanos)| Step::Set(number, nanos)),
        1 => (0..64_usize).prop_map(Step::TakeOut),
        2 => nanos.prop_map(Step::Pass),
        2 => Just(Step::Wait),
    ]
}

proptest! {
    /// Against a sorted map, which cannot be wrong.
    #[test]
    fn a_wheel_fires_what_a_sorted_map_does(steps in prop::collection::vec(step(), 1..200)) {
        let wheel = Wheel::new();
        let timers = timers(64);
        // The tick of each timer that is set.
        let mut expected = BTreeMap::new();
        let mut now = wheel.start;
        for step in steps {
            match step {
                Step::Set(number, nanos) => {
                    wheel.remove(timers[number].as_ref());
                    let deadline = now + Duration::from_nanos(nanos);
                    let tick = (deadline - wheel.start).as_nanos().div_ceil(1 << TICK_SHIFT) as u64;
                    expected.insert(number, tick.max(wheel.present.get() + 1));
                    // SAFETY: taken out at the end.
                    unsafe { wheel.insert(timers[number].as_ref(), deadline) };
                    continue;
                }
                Step::TakeOut(number) => {
                    wheel.remove(timers[number].as_ref());
                    expected.remove(&number);
                    continue;
                }
                Step::Pass(nanos) => now += Duration::from_nanos(nanos),
                Step::Wait => now = wheel.next().map_or(now, |next| next.max(now)),
            }
            let tick = ((now - wheel.start).as_nanos() >> TICK_SHIFT) as u64;
            let mut due: Vec<_> = expected
                .iter()
                .filter(|&(_, &its)| its <= tick)
                .map(|(&number, &its)| (its, number))
                .collect();
            due.sort_unstable();
            let in_order: Vec<_> = fired(&wheel, now).into_iter().map(|number| (expected[&number], number)).collect();
            prop_assert!(in_order.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{in_order:?}");
            let mut sorted = in_order;
            sorted.sort_unstable();
            prop_assert_eq!(&sorted, &due);
            expected.retain(|_, its| *its > tick);
            // It wants to be looked at before the next one is due, but not for nothing at once.
            let first = expected.values().min().copied();
            prop_assert_eq!(wheel.next().is_some(), first.is_some());
            if let (Some(next), Some(first)) = (wheel.next(), first) {
                prop_assert!(next <= wheel.start + Duration::from_nanos(first << TICK_SHIFT));
                prop_assert!(next > now || first <= tick + 1);
            }
        }
        timers.iter().for_each(|timer| wheel.remove(timer.as_ref()));
        prop_assert!(wheel.is_empty());
    }
}
