/* Makes a photo small before it is sent: a valley's network carries eighty kilobytes, not eight megabytes. */
const GOODS = { most: 80 * 1024, side: 1080 };
/* Somebody has to read what is written on it. */
const PAPER = { most: 240 * 1024, side: 1600 };
const QUALITIES = [0.82, 0.6];
const LEAST_SIDE = 240;

/* A JPEG upright and without a trace of where it was taken; the file itself if this browser cannot read it. */
export async function shrink(file, { isPaper = false } = {}) {
  const url = URL.createObjectURL(file);
  try {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    return (await smallEnough(picture, isPaper ? PAPER : GOODS)) ?? file;
  } catch {
    return file;
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function smallEnough(picture, { most, side }) {
  const longest = Math.max(picture.naturalWidth, picture.naturalHeight);
  let packed = null;
  while (side >= LEAST_SIDE) {
    const canvas = drawn(picture, Math.min(1, side / longest));
    for (const quality of QUALITIES) {
      packed = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
      if (!packed || packed.size <= most) return packed;
    }
    /* Bytes go with the area: a leap to about the right size spares an old phone the tries in between. */
    side = Math.floor(Math.min(side, longest) * Math.min(0.9, Math.sqrt(most / packed.size)));
  }
  return packed;
}

function drawn(picture, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(picture.naturalHeight * scale));
  const paper = canvas.getContext("2d");
  paper.fillStyle = "#fff";
  paper.fillRect(0, 0, canvas.width, canvas.height);
  paper.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}
