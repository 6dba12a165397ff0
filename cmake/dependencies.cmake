# Everything comes from Debian's packages (scripts/setup.sh lists them); nothing is downloaded here.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(SQLite3 3.40 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(pugixml REQUIRED)

pkg_check_modules(ICU REQUIRED IMPORTED_TARGET icu-uc icu-i18n)
pkg_check_modules(XAPIAN REQUIRED IMPORTED_TARGET xapian-core)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(LIBARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(GUMBO REQUIRED IMPORTED_TARGET gumbo)
pkg_check_modules(MD4C REQUIRED IMPORTED_TARGET md4c)
pkg_check_modules(GMIME REQUIRED IMPORTED_TARGET gmime-3.0)
pkg_check_modules(POPPLER REQUIRED IMPORTED_TARGET poppler-cpp)
pkg_check_modules(UCHARDET REQUIRED IMPORTED_TARGET uchardet)
if(SWORN_WITH_PULL)
  pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
endif()
pkg_check_modules(OPENBLAS REQUIRED IMPORTED_TARGET openblas)

# Debian ships these two without a package file.
function(sworn_plain_library name header library)
  find_path(${name}_INCLUDE_DIR ${header} REQUIRED)
  find_library(${name}_LIBRARY ${library} REQUIRED)
  add_library(${name}::${name} UNKNOWN IMPORTED)
  set_target_properties(${name}::${name} PROPERTIES
    IMPORTED_LOCATION "${${name}_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${${name}_INCLUDE_DIR}")
endfunction()
sworn_plain_library(Stemmer libstemmer.h stemmer)
sworn_plain_library(Cld2 cld2/public/compact_lang_det.h cld2)

# FAISS is a static library whose exported target asks for "BLAS::BLAS"-like names that pull in the
# slow reference BLAS; we name the archive ourselves and give it OpenBLAS and OpenMP.
sworn_plain_library(Faiss faiss/Index.h faiss)
set_property(TARGET Faiss::Faiss APPEND PROPERTY
  INTERFACE_LINK_LIBRARIES PkgConfig::OPENBLAS OpenMP::OpenMP_CXX)
