"""The order in which people number files."""
import re
from typing import List, Union


def natural_order(name: object) -> List[Union[int, str]]:
    """Sorting key of a path or a name that puts 10 behind 9."""
    return [
        int(part) if part.isdigit() else part
        for part in re.split(r'(\d+)', str(name))
    ]
