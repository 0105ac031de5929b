//! `dbcluster-scheduler`, see `dbcluster_ballista::scheduler`.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    dbcluster_ballista::scheduler::main()
}
