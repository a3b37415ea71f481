/* Makes a photo small before it is sent: a valley's network carries eighty kilobytes, not eight megabytes. */
const GOODS = { most: 80 * 1024, sides: [1080, 900, 720, 540, 400] };
/* Somebody has to read what is written on it. */
const PAPER = { most: 240 * 1024, sides: [1600, 1300, 1080, 900] };
const QUALITIES = [0.82, 0.7, 0.58, 0.46];

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

async function smallEnough(picture, { most, sides }) {
  const longest = Math.max(picture.naturalWidth, picture.naturalHeight);
  let best = null;
  for (const side of sides) {
    const canvas = drawn(picture, Math.min(1, side / longest));
    for (const quality of QUALITIES) {
      best = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
      if (best && best.size <= most) return best;
    }
  }
  return best;
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
