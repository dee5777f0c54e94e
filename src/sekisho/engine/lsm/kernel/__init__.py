"""The kernel's BPF interface: our object's programs and maps, loaded and used with nothing but bpf(2)."""
