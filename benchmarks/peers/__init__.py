"""The programs that netdef is compared with. Their libraries are the extra `bench`."""
