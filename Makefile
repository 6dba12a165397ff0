# The commands of the README. Each installs what is missing from Debian's packages first.
.PHONY: demo test check-all release format clean

demo: release
	scripts/demo.sh build/release/cli/sworn

release:
	scripts/setup.sh
	cmake --preset release
	cmake --build --preset release

test:
	scripts/setup.sh
	cmake --preset dev
	cmake --build --preset dev --target all all_verify_interface_header_sets
	ctest --preset dev

check-all:
	scripts/setup.sh --dev
	scripts/check_all.sh

format:
	git ls-files '*.cc' '*.h' | xargs clang-format -i

clean:
	rm -rf build
