// Lists of rows around centroids: training, and how many of them a query must look at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "store/faiss_index.h"

namespace sworn::store {

/// `lists` centroids, row-major, of k-means over a sample of the rows (FAISS, fixed seed).
std::vector<float> TrainCentroids(const VectorRows& rows, std::size_t lists);

/// The list of each row.
std::vector<std::uint32_t> AssignRows(const VectorRows& rows, std::span<const float> centroids);

/// The first `count` lists for a query: by inner product with the centroid, then number.
std::vector<std::uint32_t> NearestLists(std::span<const float> centroids,
                                        std::span<const float> query, std::size_t count,
                                        const kernels::KernelTable& kernels);

/// Fills probes and recall of `facts`: the fewest lists that hold enough of the true neighbours of
/// rows which training has not seen.
void MeasureProbes(const VectorRows& rows, std::span<const float> centroids,
                   std::span<const std::uint32_t> list_of_row, VectorFileFacts& facts);

}  // namespace sworn::store
