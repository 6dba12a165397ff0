// Internal to kernels/. SWORN_TARGET_BEGIN("features") and SWORN_TARGET_END: what is defined
// between the two may use these instructions; nothing else may, least of all a header's inline
// functions, so every #include comes before. SWORN_UNROLL: the loop that follows is unrolled
// wholly, which keeps arrays of vectors in registers (clang does so by itself).
#pragma once

#define SWORN_TARGET_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define SWORN_TARGET_BEGIN(features) \
  SWORN_TARGET_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define SWORN_TARGET_END SWORN_TARGET_PRAGMA(clang attribute pop)
#define SWORN_UNROLL
#else
#define SWORN_TARGET_BEGIN(features) \
  SWORN_TARGET_PRAGMA(GCC push_options) SWORN_TARGET_PRAGMA(GCC target(features))
#define SWORN_TARGET_END SWORN_TARGET_PRAGMA(GCC pop_options)
#define SWORN_UNROLL SWORN_TARGET_PRAGMA(GCC unroll 8)
#endif
