# For CMake in docker/Dockerfile: whatever the builder is, the program is for TARGETARCH, and made
# with Debian's compiler and libraries for that.
set(CMAKE_SYSTEM_NAME Linux)
if($ENV{TARGETARCH} STREQUAL amd64)
    set(CMAKE_SYSTEM_PROCESSOR x86_64)
elseif($ENV{TARGETARCH} STREQUAL arm64)
    set(CMAKE_SYSTEM_PROCESSOR aarch64)
else()
    message(FATAL_ERROR "TARGETARCH is amd64 or arm64, not \"$ENV{TARGETARCH}\"")
endif()
set(CMAKE_LIBRARY_ARCHITECTURE ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu)
set(CMAKE_C_COMPILER ${CMAKE_LIBRARY_ARCHITECTURE}-gcc)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/pkgconfig:/usr/share/pkgconfig)
