//! `dbcluster-scheduler`, see `datafusion_dbcluster::ballista::scheduler`.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    datafusion_dbcluster::ballista::scheduler::main()
}
