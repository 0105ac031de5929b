//! `dbcluster-executor`, see `dbcluster_ballista::executor`.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    dbcluster_ballista::executor::main()
}
