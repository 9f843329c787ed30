from torch import Tensor


def grouped_double_normalization(energy: Tensor,
                                 groups: int,
                                 eps: float = 1e-6) -> Tensor:
    """Softmax over positions, then a share within each group of maps.

    External attention with learnable keys normalises twice: every map becomes
    a distribution over the positions, then every position distributes one
    unit over the maps of a group. SCTNet (https://arxiv.org/abs/2312.17071)
    and RTFormer (https://arxiv.org/abs/2210.07124) group the second step.
    Follows the official implementations, where the second step divides by the
    sum (the SCTNet paper writes an L2 norm). ``eps`` is not cosmetic: a
    softmax over many positions yields values of its size.

    Args:
        energy (Tensor): Similarities of maps and positions, of shape
            (N, M, H, W) or (N, M, P); M is the number of maps.
        groups (int): Number of groups of consecutive maps; divides M.
        eps (float): Added to the sum of a group. Defaults to 1e-6.

    Returns:
        Tensor: Attention of the shape of ``energy``.
    """
    n, maps = energy.shape[:2]
    # (N, groups, M / groups, P)
    attention = energy.reshape(n, groups, maps // groups, -1).softmax(dim=-1)
    attention = attention / (attention.sum(dim=2, keepdim=True) + eps)
    return attention.reshape(energy.shape)
