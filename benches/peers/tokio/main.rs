//! The workloads with tokio. One worker is the current-thread runtime, more are the multi-thread one; everything
//! that is timed runs in tasks.

mod channels;
mod echo;
mod mutex;
mod parked;
mod skynet;
mod sleepers;
mod spawn_join;
mod yields;

use peers::{Options, Report, Result};
use std::future::Future;
use tokio::runtime::{Builder, Runtime};

fn runtime(options: &Options) -> Result<Runtime> {
    Ok(match options.count("workers")? {
        1 => Builder::new_current_thread().enable_all().build()?,
        workers => Builder::new_multi_thread().worker_threads(workers).enable_all().build()?,
    })
}

/// Runs `work` as a task, not on the thread that waits for it.
fn run<F>(options: &Options, work: F) -> Result<Report>
where
    F: Future<Output = Report> + Send + 'static,
{
    let runtime = runtime(options)?;
    let task = runtime.spawn(work);
    Ok(runtime.block_on(task)?)
}

fn main() -> Result<()> {
    let options = Options::from_env()?;
    let number = |name| options.number(name);
    let report = match options.workload.as_str() {
        "echo" => return runtime(&options)?.block_on(echo::serve(options.address("listen")?)),
        "ping-pong" => run(&options, channels::ping_pong(number("count")?)),
        "fan-in" => match options.count("capacity")? {
            0 => run(&options, channels::fan_in_unbounded(number("senders")?, number("each")?)),
            capacity => {
                run(&options, channels::fan_in(number("senders")?, number("each")?, capacity))
            }
        },
        "mutex" => run(&options, mutex::mutex(number("tasks")?, number("each")?)),
        "skynet" => run(&options, skynet::skynet(number("leaves")?)),
        "sleepers" => run(&options, sleepers::sleepers(number("count")?)),
        "spawn-join" => {
            run(&options, spawn_join::inside(number("count")?, options.count("outstanding")?))
        }
        "spawn-outside" => spawn_join::outside(
            &runtime(&options)?,
            number("count")?,
            options.count("outstanding")?,
        ),
        "yield" => run(&options, yields::yields(number("tasks")?, number("each")?)),
        "parked" => run(&options, parked::parked(number("count")?)),
        _ => options.unknown(),
    }?;
    report.print();
    Ok(())
}
