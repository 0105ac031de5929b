"""Points with a fixed seed, for the clustering alone: blobs, event vectors and hard shapes.

`python points.py SHAPE ROWS DIMENSIONS FOLDER` writes `points.parquet` (a row number `id` and the coordinates
`x0`, `x1`, ...) for our binary, `points.npy` (the same as one array, scaled already where ours is to scale)
for the peers, and `eps`, the distance that belongs to the shape.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.spatial import cKDTree
from sklearn.preprocessing import Normalizer

SIDE = 1e5
SEED = 2020


def blobs(random: np.random.Generator, rows: int, dimensions: int) -> np.ndarray:
    """Gaussians of very different size and spread, with 2 % of even noise: nearly all points are distinct."""
    noise = rows // 50
    count = max(8, round(rows**0.5 / 20))
    centres = random.uniform(0, SIDE, (count, dimensions))
    spreads = SIDE / 100 * random.lognormal(0, 0.75, count)
    shares = random.exponential(1, count)
    blob = random.choice(count, rows - noise, p=shares / shares.sum())
    members = centres[blob] + spreads[blob, None] * random.standard_normal((rows - noise, dimensions))
    points = np.concatenate([members, random.uniform(0, SIDE, (noise, dimensions))])
    random.shuffle(points)
    return points


def median_neighbour_distance(random: np.random.Generator, points: np.ndarray, neighbours: int = 30) -> float:
    """The distance that half of the points have `neighbours` others within, from a sample of 2,000 points."""
    sample = points[random.choice(len(points), min(2000, len(points)), replace=False)]
    # The nearest one is the point itself.
    distances, _ = cKDTree(points).query(sample, k=[neighbours + 1], workers=-1)
    return round(float(np.median(distances)), 6)


def events(random: np.random.Generator, rows: int) -> np.ndarray:
    """2,000 distinct (tokens, path score, is system), the i-th about 1/i as often as the first."""
    count = 2000
    vectors = np.column_stack(
        [random.geometric(0.15, count), random.integers(2500, 9000, count), random.integers(0, 2, count)]
    )
    shares = 1 / np.arange(1, count + 1)
    return vectors[random.choice(count, rows, p=shares / shares.sum())].astype(np.float64)


def one_spot(random: np.random.Generator, rows: int, dimensions: int) -> tuple[np.ndarray, float]:
    """All points within eps of each other."""
    return random.uniform(0, 0.5, (rows, dimensions)), 1.0


def chain(random: np.random.Generator, rows: int, dimensions: int) -> tuple[np.ndarray, float]:
    """Each point eps apart from the next, to the last bit."""
    points = np.zeros((rows, dimensions))
    points[:, 0] = random.permutation(rows)
    return points, 1.0


def two_vectors(random: np.random.Generator, rows: int, dimensions: int) -> tuple[np.ndarray, float]:
    """Two places 0.99 eps apart, with half of the points each."""
    points = np.zeros((rows, dimensions))
    points[random.permutation(rows)[: rows // 2], 0] = 0.99
    return points, 1.0


def two_cells(random: np.random.Generator, rows: int, dimensions: int) -> tuple[np.ndarray, float]:
    """Two dense spots that face each other just beyond eps: no pair of points between them is within it."""
    points = random.uniform(0, 0.25, (rows, dimensions))
    right = random.permutation(rows)[: rows // 2]
    points[right, 0] += 0.25 + 1.0 + 1e-9
    return points, 1.0


def sphere(random: np.random.Generator, rows: int, dimensions: int) -> tuple[np.ndarray, float]:
    """Directions without any structure: what l2 scaling makes of unrelated features."""
    points = random.standard_normal((rows, dimensions))
    return points / np.linalg.norm(points, axis=1, keepdims=True), 0.01


HARD = {shape.__name__: shape for shape in (one_spot, chain, two_vectors, two_cells, sphere)}


def generate(shape: str, rows: int, dimensions: int) -> tuple[np.ndarray, float]:
    """The points of a shape and the eps that belongs to them."""
    random = np.random.default_rng([SEED, rows, dimensions])
    if shape == "blobs":
        points = blobs(random, rows, dimensions)
        return points, median_neighbour_distance(random, points)
    if shape == "events":
        return events(random, rows), 1e-4
    return HARD[shape](random, rows, dimensions)


def write(shape: str, rows: int, dimensions: int, folder: Path) -> None:
    """Writes the three files; eps last, since its file says that the others are complete."""
    points, eps = generate(shape, rows, dimensions)
    folder.mkdir(parents=True, exist_ok=True)
    columns = {"id": np.arange(rows)} | {f"x{axis}": column for axis, column in enumerate(points.T)}
    pq.write_table(pa.table(columns), folder / "points.parquet")
    np.save(folder / "points.npy", Normalizer().fit_transform(points) if shape == "events" else points)
    (folder / "eps").write_text(repr(eps))


if __name__ == "__main__":
    shape, rows, dimensions, folder = sys.argv[1:]
    write(shape, int(rows), int(dimensions), Path(folder))
