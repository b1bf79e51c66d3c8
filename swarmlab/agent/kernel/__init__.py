"""What the agent asks of the kernel: namespaces, netlink, packet filters, IPsec."""
