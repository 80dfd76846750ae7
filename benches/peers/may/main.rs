//! The workloads with may. Skynet, the sleepers and the parked are left out at a million: a stack of may's is two
//! mappings, of which `vm.max_map_count` allows some thirty thousand.

mod channels;
mod echo;
mod mutex;
mod spawn_join;
mod yields;

use may::coroutine;
use peers::{Options, Report, Result};

/// Runs `work` in a coroutine.
fn run(work: impl FnOnce() -> Report + Send + 'static) -> Result<Report> {
    // SAFETY: nothing here uses thread-locals, and no coroutine goes deep enough to leave its stack.
    let coroutine = unsafe { coroutine::spawn(work) };
    coroutine.join().map_err(|_| "the coroutine has panicked".into())
}

fn main() -> Result<()> {
    let options = Options::from_env()?;
    may::config().set_workers(options.count("workers")?);
    // Its default keeps a hundred stacks; the rest would be mapped and unmapped each time.
    may::config().set_pool_capacity(10_000);
    let number = |name| options.number(name);
    let report = match options.workload.as_str() {
        "echo" => return echo::serve(options.address("listen")?),
        "ping-pong" => {
            let count = number("count")?;
            run(move || channels::ping_pong(count))
        }
        "fan-in" => {
            let (senders, each) = (number("senders")?, number("each")?);
            run(move || channels::fan_in(senders, each))
        }
        "mutex" => {
            let (tasks, each) = (number("tasks")?, number("each")?);
            run(move || mutex::mutex(tasks, each))
        }
        "spawn-join" => {
            let (count, outstanding) = (number("count")?, options.count("outstanding")?);
            run(move || spawn_join::spawn_join(count, outstanding))
        }
        "spawn-outside" => {
            Ok(spawn_join::spawn_join(number("count")?, options.count("outstanding")?))
        }
        "yield" => {
            let (tasks, each) = (number("tasks")?, number("each")?);
            run(move || yields::yields(tasks, each))
        }
        _ => options.unknown(),
    }?;
    report.print();
    Ok(())
}
