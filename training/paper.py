"""Surfaces to write on, and what cameras and scanners make of them; scanned lines, changed as if others wrote them."""
import cv2
import numpy as np

RULE_COLOURS = ((120, 140, 190), (150, 170, 210), (190, 190, 195), (120, 120, 120), (140, 190, 190), (200, 150, 170),
                (170, 150, 130), (90, 90, 170))
MARGIN_COLOURS = ((220, 90, 100), (200, 60, 60), (230, 150, 160), (90, 90, 170))
ROOM = 10   # px of paper added around a scanned line, for letters that reach out once they are bent


def clouds(shape: tuple[int, int], rng: np.random.Generator, cells: float) -> np.ndarray:
    """Smooth noise, float32 (height, width), of mean 0 and deviation about 1; cells: bumps along the longer side."""
    small = rng.normal(0, 1, (max(2, int(cells * shape[0] / max(shape)) + 2),
                              max(2, int(cells * shape[1] / max(shape)) + 2)))
    return cv2.resize(small.astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)


def sheet(shape: tuple[int, int], rng: np.random.Generator, patches: list[np.ndarray]) -> np.ndarray:
    """Bright paper without anything on it: float32 (height, width, 3), 0..255."""
    kind = rng.random()
    if kind < 0.3:
        return np.full((*shape, 3), rng.choice((255, 255, 252, 245)), np.float32)
    if kind < 0.5 and patches:
        return _tiled(patches[rng.integers(len(patches))], shape, rng)
    colour = rng.uniform(195, 255) - np.abs(rng.normal(0, 10, 3)) * (rng.random() < 0.5)
    if rng.random() < 0.15:   # coloured paper, sticky notes
        colour = np.array(((250, 240, 120), (250, 180, 200), (170, 220, 250), (190, 240, 170), (250, 200, 120),
                           (200, 170, 60))[rng.integers(6)]) + rng.normal(0, 10, 3)
    paper = np.full((*shape, 3), colour, np.float32)
    paper += (clouds(shape, rng, rng.uniform(2, 12)) * rng.uniform(0, 4))[..., None]
    if rng.random() < 0.5:
        paper += (clouds(shape, rng, max(shape) / rng.uniform(2, 6)) * rng.uniform(0.5, 5))[..., None]
    return paper


def board(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A dark board, more or less wiped, or a dark screen: float32 (height, width, 3), 0..255."""
    colour = np.array(((35, 60, 50), (40, 42, 45), (20, 20, 22), (25, 45, 80), (60, 75, 65))[rng.integers(5)])
    surface = np.full((*shape, 3), colour + rng.normal(0, 5, 3), np.float32)
    if rng.random() < 0.7:
        wiped = cv2.blur(clouds(shape, rng, rng.uniform(10, 60)), (1 + 2 * rng.integers(1, 40), 3))
        surface += (wiped * rng.uniform(2, 12) + rng.uniform(0, 15))[..., None]
    return surface


def dirt(surface: np.ndarray, rng: np.random.Generator) -> None:
    """Put specks, holes, folds and stains on a surface, float32 (height, width, 3): none is writing."""
    shape = surface.shape[:2]
    if rng.random() < 0.3:    # specks
        mask = np.zeros(shape, np.uint8)
        for x, y in rng.integers(0, shape[::-1], (int(rng.exponential(12)) + 1, 2)).tolist():
            cv2.circle(mask, (8 * x, 8 * y), int(8 * np.exp(rng.uniform(-0.7, 1.2))), 255, cv2.FILLED, cv2.LINE_AA, 3)
        surface += (rng.uniform(0, 120, 3) - surface) * (mask * rng.uniform(0.3, 1) / 255)[..., None]
    if rng.random() < 0.07:   # punched holes along a side
        x, radius = int(rng.uniform(0.01, 0.08) * shape[1]), int(rng.uniform(5, 16))
        x = x if rng.random() < 0.7 else shape[1] - x
        for y in np.arange(rng.uniform(0.05, 0.4), 1, rng.uniform(0.05, 0.4)) * shape[0]:
            cv2.circle(surface, (x, int(y)), radius, 3 * [rng.uniform(0, 120)], cv2.FILLED, cv2.LINE_AA)
    for _ in range(rng.choice(3, p=(0.8, 0.12, 0.08))):   # folds: a bright side and a dark one
        place, along = rng.uniform(0.1, 0.9), rng.integers(2)
        distance = np.arange(shape[along], dtype=np.float32) - place * shape[along]
        fold = rng.normal(0, 18) * np.exp(-np.abs(distance) / rng.uniform(1.5, 25)) * np.sign(distance)
        surface += (fold[:, None] if along == 0 else fold[None])[..., None]
    if rng.random() < 0.06:   # a stain
        stain = clouds(shape, rng, rng.uniform(2, 6)) > rng.uniform(0.6, 1.6)
        soft = cv2.GaussianBlur(stain.astype(np.float32), (0, 0), rng.uniform(1, 8))
        surface *= 1 - soft[..., None] * rng.uniform(0.02, 0.25, 3).astype(np.float32)


def table(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """What a sheet may lie on, such as wood, cloth or a scanner's black: float32 (height, width, 3), 0..255."""
    surface = np.empty((*shape, 3), np.float32)
    kind = rng.random()
    if kind < 0.25:
        surface[:] = rng.uniform(0, 40)
    elif kind < 0.7:          # wood: long grain
        surface[:] = np.array((150, 105, 70)) * rng.uniform(0.4, 1.6) + rng.normal(0, 12, 3)
        grain = rng.normal(0, 1, (shape[0] // 3 + 2, 1 + shape[1] // 90)).astype(np.float32)
        grain = cv2.resize(grain, shape[::-1], interpolation=cv2.INTER_CUBIC)
        surface += (grain * rng.uniform(4, 22))[..., None]
        if rng.random() < 0.5:
            surface = np.ascontiguousarray(cv2.rotate(cv2.resize(surface, shape), cv2.ROTATE_90_CLOCKWISE))
    elif kind < 0.8:          # other ruled paper, or stripes
        surface[:] = rng.uniform(120, 250)
        angle, step = rng.uniform(0, np.pi), rng.uniform(9, 50)
        along = np.array([np.cos(angle), np.sin(angle)])
        middle, long = np.array(shape[::-1]) / 2, 1.5 * max(shape)
        colour, thick = (rng.uniform(20, 200) * np.ones(3)).tolist(), int(rng.choice((1, 1, 2, 3)))
        for offset in np.arange(-long, long, step):
            ends = middle + offset * along[::-1] * (1, -1) + long * np.array([along, -along])
            cv2.line(surface, *np.round(ends).astype(int).tolist(), colour, thick, cv2.LINE_AA)
    else:
        surface[:] = rng.uniform(20, 230, 3) * 0.3 + rng.uniform(20, 160)
        surface += (clouds(shape, rng, max(shape) / rng.uniform(3, 30)) * rng.uniform(3, 18))[..., None]
    return surface


def _tiled(patch: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Real paper, mirrored until it is large enough."""
    patch = patch[6:-6, 6:-6]
    if rng.random() < 0.5:
        patch = cv2.resize(patch, None, fx=1.7, fy=1.7)
    below, beside = (max(0, side - size) for side, size in zip(shape, patch.shape))
    whole = cv2.copyMakeBorder(patch, 0, below, 0, beside, cv2.BORDER_REFLECT)
    return whole[:shape[0], :shape[1]].astype(np.float32)


# ---- the camera

def bend(shape: tuple[int, int], size: tuple[int, int], rng: np.random.Generator,
         angle: float, zoom: float, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which point of a sheet (of `shape`) each pixel of a photo (of `size`) shows: x and y, float32 (height, width).

    angle: of the camera in rad.  zoom: px of the photo per px of the sheet.  centre: x, y on the sheet.
    """
    x, y = np.meshgrid(np.arange(size[1], dtype=np.float32), np.arange(size[0], dtype=np.float32))
    x, y = x - size[1] / 2, y - size[0] / 2
    if rng.random() < 0.4:    # perspective
        tilt = rng.normal(0, 0.10, 2) / max(size)
        depth = 1 + tilt[0] * x + tilt[1] * y
        x, y = x / depth, y / depth
    cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
    x, y = cos * x + sin * y + centre[0], cos * y - sin * x + centre[1]
    if rng.random() < 0.35:   # paper curls
        for _ in range(2):
            long = rng.uniform(0.5, 2.5) * max(shape)
            y = y + rng.normal(0, 0.006) * long * np.sin(2 * np.pi * x / long + rng.uniform(0, 6.3))
    if rng.random() < 0.2:
        long = rng.uniform(0.6, 2.5) * max(shape)
        x = x + rng.normal(0, 0.004) * long * np.sin(2 * np.pi * y / long + rng.uniform(0, 6.3))
    return x.astype(np.float32), y.astype(np.float32)


def light(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put uneven light and shadows on float32 (height, width, 3)."""
    shape = picture.shape[:2]
    brightness = np.full(shape, rng.uniform(0.7, 1.05), np.float32)
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, shape[1], dtype=np.float32),
                       np.linspace(-0.5, 0.5, shape[0], dtype=np.float32))
    if rng.random() < 0.7:
        fall = rng.normal(0, 0.2, 2)
        brightness *= np.clip(1 + fall[0] * x + fall[1] * y, 0.3, 1.5)
    if rng.random() < 0.3:
        brightness *= 1 - rng.uniform(0.1, 0.9) * ((x - rng.normal(0, 0.3)) ** 2 + (y - rng.normal(0, 0.3)) ** 2)
    if rng.random() < 0.35:
        brightness *= np.clip(1 + clouds(shape, rng, rng.uniform(1, 4)) * rng.uniform(0.02, 0.12), 0.5, 1.3)
    for _ in range(rng.choice(4, p=(0.55, 0.25, 0.15, 0.05))):   # hard or soft shadows
        mask = np.zeros(shape, np.float32)
        middle = rng.uniform(-0.2, 1.2, 2) * shape[::-1]
        corners = middle + rng.normal(0, 0.45, (rng.integers(3, 7), 2)) * max(shape)
        if rng.random() < 0.6:
            corners = cv2.convexHull(corners.astype(np.float32))[:, 0]
        cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 1)
        soft = np.exp(rng.uniform(np.log(0.5), np.log(40)))
        brightness *= 1 - rng.uniform(0.1, 0.55) * cv2.GaussianBlur(mask, (0, 0), soft)
    tint = 1 + rng.normal(0, 0.05, 3) * (rng.random() < 0.5)
    picture = picture * np.maximum(brightness, 0.08)[..., None] * tint.astype(np.float32)
    if rng.random() < 0.12:   # the reflection of a lamp
        spot = np.exp(-((x - rng.uniform(-.5, .5)) ** 2 + (y - rng.uniform(-.5, .5)) ** 2) / rng.uniform(0.002, 0.05))
        picture += (spot * rng.uniform(20, 120))[..., None]
    return picture


def sensor(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add blur, noise, contrast, grayscale and JPEG, as cameras, scanners and messengers do: -> uint8 (h, w, 3)."""
    if rng.random() < 0.45:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.3))
    if rng.random() < 0.06:
        kernel = np.zeros((9, 9), np.float32)
        reach = rng.uniform(1, 4) * np.array([np.cos(a := rng.uniform(0, 3.2)), np.sin(a)])
        cv2.line(kernel, *np.round(4 + np.array([-reach, reach])).astype(int).tolist(), 1)
        picture = cv2.filter2D(picture, -1, kernel / kernel.sum())
    if rng.random() < 0.3:
        noise = rng.standard_normal((*picture.shape[:2], rng.choice((1, 3))), np.float32)
        picture = picture + np.float32(np.exp(rng.uniform(0, 2.7))) * noise
    if rng.random() < 0.3:    # contrast and brightness
        middle = float(picture.mean())
        picture = (picture - middle) * rng.uniform(0.45, 1.3) + middle + rng.normal(0, 12)
    if rng.random() < 0.1:    # sharpened
        picture = picture + rng.uniform(0.3, 1.2) * (picture - cv2.GaussianBlur(picture, (0, 0), 1.5))
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(18, 95))]
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR)
    return picture


def black_and_white(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Binarize a picture, as fax machines and form scanners do: uint8 (height, width, 3) with two values."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    around = cv2.GaussianBlur(gray, (0, 0), 25).astype(np.float32) - rng.uniform(12, 35)
    white = (gray > around).view(np.uint8) * np.uint8(255)
    return cv2.cvtColor(white, cv2.COLOR_GRAY2RGB)


def poor(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture that was scaled down and up again."""
    factor = rng.uniform(0.45, 0.9)
    small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, picture.shape[1::-1], interpolation=rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC)))


# ---- scanned lines

def age(gray: np.ndarray, rng: np.random.Generator, neighbour: np.ndarray | None = None) -> np.ndarray:
    """A scanned line, uint8 (height, width), dark on bright, as another writer, pen and camera would make it: RGB.

    neighbour: another line, whose tails reach into this one.
    """
    white = int(np.percentile(gray, 90))
    gray = _bend(cv2.copyMakeBorder(gray, ROOM, ROOM, ROOM, ROOM, cv2.BORDER_CONSTANT, value=white), white, rng)
    if neighbour is not None:
        _add_tails(gray, neighbour, rng)
    if rng.random() < 0.15:
        _add_rules(gray, white, rng)
    if rng.random() < 0.25:   # a thicker or a thinner pen
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2, 2) if rng.random() < 0.6 else (3, 3))
        gray = (cv2.erode if rng.random() < 0.7 else cv2.dilate)(gray, kernel)
    if rng.random() < 0.5:    # a faint pencil
        faint = rng.uniform(0.25, 1.0)
        gray = cv2.convertScaleAbs(gray, alpha=faint, beta=(1 - faint) * white)
    picture = sensor(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB).astype(np.float32), rng)
    return poor(picture, rng) if rng.random() < 0.2 else picture


def _bend(gray: np.ndarray, white: int, rng: np.random.Generator) -> np.ndarray:
    """Change slant, slope, width and waviness."""
    height, width = gray.shape
    wide, slant, slope = float(np.exp(rng.normal(0, 0.12))), rng.normal(0, 0.15), rng.normal(0, 0.008)
    x, y = np.arange(round(width * wide), dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    from_x, from_y = x / wide + slant * (y - height / 2), y + slope * (x - width * wide / 2)
    for _ in range(2):
        along_x, along_y = rng.normal(0, 0.03), rng.normal(0, 0.05)
        # Sines and cosines of rows and columns give those of all pixels, which would take most of the time.
        row, column = along_y * y + rng.uniform(0, 2 * np.pi), along_x * x
        rows, sine, cosine = np.hstack([np.cos(row), np.sin(row)]), np.sin(column), np.cos(column)
        from_x += rng.normal(0, 1.2) * (rows @ np.stack([sine, cosine]))
        from_y += rng.normal(0, 1.0) * (rows @ np.stack([cosine, -sine]))
    return cv2.remap(gray, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=white)


def _add_tails(gray: np.ndarray, neighbour: np.ndarray, rng: np.random.Generator) -> None:
    """Let the lowest ink of the line above reach in, and the highest of the line below."""
    width = min(gray.shape[1], neighbour.shape[1])
    above, below = rng.integers(0, 10, 2)
    for there, tails in ((gray[:above, :width], neighbour[len(neighbour) - above:, :width]),
                         (gray[len(gray) - below:, :width], neighbour[:below, :width])):
        np.minimum(there, tails, out=there)


def _add_rules(gray: np.ndarray, white: int, rng: np.random.Generator) -> None:
    """Print a rule under the writing, solid, dotted or dashed, sometimes with the columns of a grid."""
    level, thick = int(white * rng.uniform(0.4, 0.95)), int(rng.integers(1, 3))
    y = round(len(gray) * rng.uniform(0.62, 0.85))
    dash = int(rng.choice((gray.shape[1], 2, 3, 6)))
    drawn = np.where(np.arange(gray.shape[1]) // dash % 2 == 0, level, 255).astype(np.uint8)
    gray[y:y + thick] = np.minimum(gray[y:y + thick], drawn)
    if rng.random() < 0.1:
        columns = gray[:, rng.integers(0, 20)::int(rng.integers(16, 36))]
        np.minimum(columns, level, out=columns)
