//! Clusters two plain arrays and prints the clusters with their medoids: `cargo run -p dbcluster-dbscan --example
//! plain_arrays`.

use std::error::Error;
use std::io::Write;

use dbcluster_dbscan::{Params, Points, Scaling, dbscan, medoids};

fn main() -> Result<(), Box<dyn Error>> {
    // The bytes that each process sent, and the connections that it made. The last one is unlike the others.
    let bytes = [120.0, 130.0, 125.0, 90_000.0, 91_000.0, 90_500.0, 128.0, 400_000.0];
    let connections = [3.0, 3.0, 4.0, 40.0, 41.0, 40.0, 3.0, 1.0];

    let mut points = Points::from_columns(&[&bytes, &connections])?;
    // Bytes and connections are in different units: both become 0 to 1.
    points.scale(Scaling::MinMax)?;
    let params = Params::try_new(0.1, 2)?;
    let labels = dbscan(&points, &params);

    let mut out = std::io::stdout().lock();
    for (cluster, &medoid) in medoids(&points, &labels, params.metric()).iter().enumerate() {
        let members: Vec<usize> =
            (0..labels.len()).filter(|&i| labels.cluster(i) == cluster as i64).collect();
        writeln!(out, "cluster {cluster}: points {members:?}, of which {medoid} is the most central")?;
    }
    for i in (0..labels.len()).filter(|&i| labels.cluster(i) < 0) {
        writeln!(out, "noise: point {i}, {} bytes in {} connections", bytes[i], connections[i])?;
    }
    Ok(())
}
