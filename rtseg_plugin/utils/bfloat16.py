"""Whether bfloat16 is worth anything here."""
import torch


def computes_in_bfloat16() -> bool:
    """Whether this processor has instructions for bfloat16."""
    return any(value for name, value in torch.cpu.get_capabilities().items()
               if 'bf16' in name)
