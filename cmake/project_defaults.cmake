# Language, warnings, sanitizers and the helper that declares a folder's library.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ${SWORN_DEVELOPER_MODE})
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(SWORN_CCACHE ccache)
if(SWORN_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${SWORN_CCACHE}")
endif()

# Floats in a fixed order: no contraction into FMA behind our back, on any target.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                    -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -ffp-contract=off
                    -fstack-protector-strong)
# GCC 12 warns of impossible overlaps inside std::string (GCC bug 105329).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options(-Wno-restrict)
endif()
if(SWORN_DEVELOPER_MODE)
  add_compile_options(-Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()
add_link_options(-Wl,-z,relro,-z,now)

if(SWORN_SANITIZE)
  add_compile_options(-fsanitize=${SWORN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SWORN_SANITIZE})
endif()
if(SWORN_BUILD_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

# sworn_library(NAME SOURCES ... HEADERS ... PUBLIC targets PRIVATE targets)
# declares the static library sworn_NAME with the alias sworn::NAME. Headers go into a header set, so
# that all_verify_interface_header_sets compiles each of them alone.
function(sworn_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS;PUBLIC;PRIVATE")
  if(NOT arg_SOURCES)
    return()  # a folder whose first source is still to come
  endif()
  add_library(sworn_${name} STATIC ${arg_SOURCES})
  add_library(sworn::${name} ALIAS sworn_${name})
  target_sources(sworn_${name} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${arg_HEADERS})
  target_link_libraries(sworn_${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()
