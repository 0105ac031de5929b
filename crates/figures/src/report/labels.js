/* The clusters of the places at an eps: the label of each place, -1 for noise, and how many clusters there are. */
function labelsAt(places, clustering, eps) {
  const count = places.events.length;
  const labels = new Int32Array(count).fill(-1);
  let clusters = 0;
  if (!clustering) {
    for (let i = 0; i < count; i++) if (places.clustered[i]) labels[i] = clusters++;
    return { labels, clusters };
  }
  const { core, near, merged, into } = places;
  for (let i = 0; i < count; i++) {
    if (core[i] === null || core[i] > eps) continue;
    labels[i] = merged[i] !== null && merged[i] <= eps ? labels[into[i]] : clusters++;
  }
  if (clustering.minSamples > 2) {
    const cores = [];
    for (let i = 0; i < count; i++) if (labels[i] >= 0) cores.push(i);
    for (let i = 0; i < count; i++) {
      if (labels[i] >= 0 || near[i] === null || near[i] > eps) continue;
      labels[i] = firstWithin(places, clustering.metric, cores, labels, i, eps);
    }
  }
  return { labels, clusters };
}

/* The lowest cluster that has a core place within eps of a place. Labels of border places are no cores, so they are not asked. */
function firstWithin(places, metric, cores, labels, place, eps) {
  const reach = metric === "euclidean" ? eps * eps : eps;
  let lowest = -1;
  for (const core of cores) {
    if (lowest >= 0 && labels[core] >= lowest) continue;
    if (places.partition && places.partition[core] !== places.partition[place]) continue;
    if (reduced(metric, places.scaled[place], places.scaled[core]) <= reach) lowest = labels[core];
  }
  return lowest;
}

/* The number that is compared in the place of a distance, added up as the clustering does. */
function reduced(metric, a, b) {
  let sum = 0;
  for (let k = 0; k < a.length; k++) {
    const difference = a[k] - b[k];
    if (metric === "euclidean") sum += difference * difference;
    else if (metric === "manhattan") sum += Math.abs(difference);
    else if (Math.abs(difference) > sum) sum = Math.abs(difference);
  }
  return sum;
}

/* The scaled vectors of the places: those of the page, or made of the features where the scaling looks at one place alone. */
function scaledPlaces(places, clustering) {
  if (places.scaled) return places.scaled;
  return places.features.map((vector) => {
    if (!clustering || clustering.scaling !== "l2") return vector;
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    return length > 0 ? vector.map((value) => value / length) : vector;
  });
}

/* The nearest other place, by distances. */
function nearestPlace(places, metric, scaled, place) {
  let best = -1, least = Infinity;
  for (let i = 0; i < scaled.length; i++) {
    if (i === place || (places.partition && places.partition[i] !== places.partition[place])) continue;
    const distance = reduced(metric, scaled[place], scaled[i]);
    if (distance < least) { least = distance; best = i; }
  }
  return best;
}
