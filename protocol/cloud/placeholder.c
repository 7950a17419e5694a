typedef int sky_placeholder;
