"""Fills a street with furniture, traffic and people."""
import math

import numpy as np

from .furniture import (
    clutter,
    gantry,
    pole,
    pole_colour,
    sign_post,
    street_lamp,
    traffic_light,
    tree,
)
from .people import person, two_wheeler
from .plan import Plan, Side
from .scene import Body, Label
from .vehicles import bus, car, tram, truck


def populate(plan: Plan) -> None:
    """Add everything that is not built or grown into the ground."""
    for side in plan.sides:
        _furnish(plan, side)
        _park(plan, side)
        _stroll(plan, side)
    _signals(plan)
    _cross(plan)
    _tracks(plan)
    _drive(plan)
    _cycle(plan)


def _furnish(plan: Plan, side: Side) -> None:
    """Lamps, trees, signs, bollards and bins along the kerb."""
    rng, scene = plan.rng, plan.scene
    edge = side.sign * (side.kerb + 0.45)
    colour = pole_colour(rng)
    height = rng.uniform(4.5, 8.5)
    if rng.random() < 0.8:
        for z in np.arange(rng.uniform(-3, 14), 105, rng.uniform(13, 30)):
            street_lamp(scene, rng, edge, z, colour, height, -side.sign)
    green = {'centre': 0.5, 'suburb': 0.6, 'outskirts': 0.6}
    if rng.random() < green[plan.district]:
        x = side.sign * ((side.kerb + side.verge) / 2 if side.verge
                         > side.kerb + 0.5 else side.kerb + 0.9)
        tall = rng.uniform(4.5, 10)
        for z in np.arange(rng.uniform(2, 14), 105, rng.uniform(7, 16)):
            if not plan.crossed(z - 1, z + 1) and rng.random() < 0.85:
                tree(scene, rng, x, z, tall * rng.uniform(0.8, 1.15),
                     plan.light(-side.sign, -0.3))
    for z in rng.uniform(6, 60, rng.poisson(2.6)):
        sign_post(scene, rng, edge + rng.normal(0, 0.15), z)
    if rng.random() < 0.3:
        for z in np.arange(rng.uniform(3, 12), rng.uniform(15, 40), 2.0):
            pole(scene, edge - side.sign * 0.2, z, 0.95, 0.14, colour)
    if rng.random() < 0.15:
        gantry(scene, rng, side.sign * (side.kerb + 0.6),
               rng.uniform(14, 55), -side.sign)
    for z in rng.uniform(5, 45, rng.poisson(0.7)):
        clutter(scene, rng, side.sign * (side.walk - 0.5), z)


def _signals(plan: Plan) -> None:
    """Traffic lights at the zebra crossing."""
    rng = plan.rng
    if plan.zebra is None or rng.random() < 0.15:
        return
    state = int(rng.integers(3))
    left, right = plan.sides
    near, far = plan.zebra[0] - 0.6, plan.zebra[1] + 0.8
    mast = bool(rng.random() < 0.5)
    traffic_light(plan.scene, rng, right.kerb + 0.4, near, -1, state, True,
                  mast)
    traffic_light(plan.scene, rng, -left.kerb - 0.4, far, 1, state,
                  bool(rng.random() < 0.5), False)
    if rng.random() < 0.6:
        traffic_light(plan.scene, rng, -left.kerb - 0.4, near, 1, state, True,
                      False)
    if plan.crossing and rng.random() < 0.6:
        traffic_light(plan.scene, rng, right.kerb + 0.4,
                      plan.crossing[1] + 1.0, -1, state, True, mast)


def _vehicle(plan: Plan, x: float, z: float, speed: float,
             heavy: float) -> None:
    """A car, or with some probability something bigger."""
    rng = plan.rng
    yaw = (0.0 if speed >= 0 else math.pi) + rng.normal(0, 0.015)
    make = car
    if rng.random() < heavy:
        make = (truck, bus)[rng.integers(2)]
        z += 4.5
    make(plan.scene, rng, Body((x, 0.0, z), (0.0, speed), yaw))


def _park(plan: Plan, side: Side) -> None:
    """Cars at the kerb, two-wheelers on the pavement."""
    rng = plan.rng
    if side.parking:
        x, z = side.sign * (side.kerb - 1.12), rng.uniform(-1, 12)
        full = rng.uniform(0.35, 0.95)
        while z < 85:
            near = plan.zebra and plan.zebra[0] - 4 < z < plan.zebra[1] + 4
            if rng.random() < full and not near and not plan.crossed(
                    z - 3, z + 3):
                yaw = 0.0 if side.sign > 0 else math.pi
                body = Body((x, 0.0, z), (0.0, 0.0), yaw + rng.normal(0, .03))
                if rng.random() < 0.04:
                    truck(plan.scene, rng, body)
                    z += 4.0
                else:
                    car(plan.scene, rng, body)
            z += rng.uniform(5.5, 6.6)
    for _ in range(rng.poisson(0.9)):
        label = Label.BICYCLE if rng.random() < 0.72 else Label.MOTORCYCLE
        z = rng.uniform(5, 32)
        inner = rng.random() < 0.5
        x = side.verge + 0.9 if inner else side.walk - 0.9
        yaw = rng.choice((0.25, 1.57, 1.2, -1.3)) + rng.normal(0, 0.15)
        for _ in range(rng.integers(1, 5)):
            if not plan.crossed(z - 0.5, z + 0.5):
                two_wheeler(plan.scene, rng,
                            Body((side.sign * x, 0.0, z), (0.0, 0.0),
                                 yaw + rng.normal(0, 0.08)), label, False)
            z += rng.uniform(0.6, 1.0)


def _walker(plan: Plan, x: float, z: float,
            velocity: tuple[float, float]) -> None:
    """Somebody whose sheet faces the camera in the annotated frame."""
    pace = math.hypot(*velocity)
    stride = 0.0
    if pace > 0.01:
        stride = 0.2 + 0.32 * abs(velocity[0]) / pace
    body = Body((x, 0.0, z), velocity, math.atan2(x, max(z, 3.0)))
    person(plan.scene, plan.rng, body, stride)


def _stroll(plan: Plan, side: Side) -> None:
    """People on the pavement, alone, in groups, waiting."""
    rng = plan.rng
    busy = {'centre': 3.8, 'suburb': 2.2, 'outskirts': 1.3}[plan.district]
    for _ in range(rng.poisson(busy)):
        z = 5 + 40 * rng.random()**1.4
        x = rng.uniform(side.verge + 0.5, side.walk - 0.3) * side.sign
        pace = rng.choice((-1, 1)) * rng.uniform(0.05, 0.1)
        if rng.random() < 0.25:
            pace = 0.0
        for _ in range(rng.choice((1, 1, 2, 2, 4))):
            _walker(plan, x, z, (rng.normal(0, 0.006), pace))
            x += rng.choice((-1, 1)) * rng.uniform(0.45, 0.7)
            z += rng.uniform(-0.4, 0.6)


def _cross(plan: Plan) -> None:
    """People on the road and traffic on the cross street."""
    rng = plan.rng
    left, right = -plan.sides[0].kerb, plan.sides[1].kerb
    for _ in range(rng.poisson(2.2 if plan.zebra else 0.35)):
        z = rng.uniform(*plan.zebra) if plan.zebra else rng.uniform(14, 40)
        pace = rng.choice((-1, 1)) * rng.uniform(0.04, 0.1)
        _walker(plan, rng.uniform(left - 1, right + 1), z, (pace, 0.0))
    if plan.crossing is None:
        return
    start, end = plan.crossing
    for towards, share in ((1, 0.28), (-1, 0.72)):
        z = start + (end - start) * share
        x = -towards * rng.uniform(-12, 20)
        speed = towards * rng.choice((0.0, rng.uniform(0.1, 0.45)))
        for _ in range(rng.integers(0, 3)):
            body = Body((x, 0.0, z), (speed, 0.0), towards * math.pi / 2)
            kind = rng.random()
            if kind < 0.8:
                car(plan.scene, rng, body)
            elif kind < 0.9:
                label = Label.BICYCLE if kind < 0.86 else Label.MOTORCYCLE
                two_wheeler(plan.scene, rng, body, label, True)
            else:
                (truck, bus)[rng.integers(2)](plan.scene, rng, body)
            x -= towards * rng.uniform(9, 16)


def _tracks(plan: Plan) -> None:
    """A tram, if there is a track."""
    rng = plan.rng
    if not plan.track or (plan.spotlight != 'tram' and rng.random() < 0.5):
        return
    towards = rng.choice((-1, 1))
    z = rng.uniform(20, 48)
    tram(plan.scene, rng,
         Body(((plan.gap[0] + plan.gap[1]) / 2, 0.0, z),
              (0.0, towards * rng.choice((0.0, rng.uniform(0.05, 0.4)))),
              0.0 if towards > 0 else math.pi))


def _drive(plan: Plan) -> None:
    """Traffic in the own direction and against it."""
    rng, own = plan.rng, plan.scene.camera.speed
    heavy = 0.08
    for lane in range(plan.right_lanes + 1):
        x = lane * plan.lane
        z = rng.uniform(10, 34) if lane == 0 else rng.uniform(-2, 30)
        if lane == 0 and plan.spotlight in ('truck', 'bus'):
            # Ahead, or, half of the time, coming from there.
            make = truck if plan.spotlight == 'truck' else bus
            if rng.random() < 0.5:
                z = rng.uniform(17, 32)
                make(plan.scene, rng, Body((x, 0.0, z), (0.0, own)))
            else:
                spot = Body((plan.gap[0] - plan.lane / 2, 0.0,
                             rng.uniform(12, 34)),
                            (0.0, -rng.uniform(0, 0.3)), math.pi)
                make(plan.scene, rng, spot)
            z += 14
        while z < 105:
            if rng.random() < 0.6:
                speed = max(0.0, own + rng.normal(0, 0.05))
                _vehicle(plan, x + rng.normal(0, 0.15), z, speed, heavy)
            z += rng.uniform(12, 30)
    for lane in range(plan.left_lanes):
        x = plan.gap[0] - plan.lane * (lane + 0.5)
        z, speed = rng.uniform(3, 40), -rng.uniform(0.0, 0.4)
        while z < 105:
            if plan.spotlight in ('truck', 'bus') and z < 46:
                z += 12
                continue
            _vehicle(plan, x + rng.normal(0, 0.15), z, speed, heavy)
            z += rng.uniform(10, 34)


def _cycle(plan: Plan) -> None:
    """Riders on the road."""
    rng, own = plan.rng, plan.scene.camera.speed
    right = plan.sides[1]
    count = rng.poisson(0.35)
    labels = [Label.BICYCLE if rng.random() < 0.65 else Label.MOTORCYCLE
              for _ in range(count)]
    for label, name in ((Label.MOTORCYCLE, 'motorcycle'),
                        (Label.BICYCLE, 'bicycle')):
        if plan.spotlight == name:
            labels += [label] * int(rng.integers(1, 4))
    z = rng.uniform(8, 15)
    for label in labels:
        edge = right.kerb - (2.9 if right.parking else 0.7)
        x, speed = max(edge, plan.lane * 0.32), own * rng.uniform(0.7, 1.1)
        if label == Label.MOTORCYCLE and rng.random() < 0.5:
            x = rng.uniform(-0.6, 0.6) + plan.gap[1]
        two_wheeler(plan.scene, rng,
                    Body((x + rng.normal(0, 0.15), 0.0, z), (0.0, speed),
                         rng.normal(0, 0.12)), label, True)
        z += rng.uniform(2.5, 9)
