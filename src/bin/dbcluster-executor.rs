//! `dbcluster-executor`, see `datafusion_dbcluster::ballista::executor`.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    datafusion_dbcluster::ballista::executor::main()
}
