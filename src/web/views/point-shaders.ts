/** One vertex is one pixel of the depth map: its number tells which, and `unproject` of the SDK where it lies. */
export const vertexShader = /* glsl */ `
precision highp float;
precision highp sampler2D;

uniform sampler2D depth;
uniform sampler2D picture;
uniform vec2 size;
uniform float pixel;
uniform bool isMetres;
uniform vec2 rule;
uniform vec2 bounds;
uniform float pointSize;
uniform mat4 modelViewMatrix;
uniform mat4 projectionMatrix;
out vec3 colour;

void main() {
  ivec2 whole = ivec2(size);
  ivec2 at = ivec2(gl_VertexID % whole.x, gl_VertexID / whole.x);
  float value = texelFetch(depth, at, 0).r;
  float inverse = max(1e-6, value * rule.x + rule.y);
  float distance = isMetres ? value : clamp(1.0 / inverse, bounds.x, bounds.y);
  vec2 middle = vec2(at) + 0.5;
  vec2 aside = vec2(middle.x - size.x / 2.0, size.y / 2.0 - middle.y) * pixel;
  gl_Position = projectionMatrix * modelViewMatrix * vec4(aside * distance, -distance, 1.0);
  // As large as the pixel seen from where the camera was, and larger from nearer.
  gl_PointSize = pointSize * distance / gl_Position.w;
  colour = texture(picture, middle / size).rgb;
}
`

export const fragmentShader = /* glsl */ `
precision highp float;
in vec3 colour;
out vec4 shown;

void main() {
  shown = vec4(colour, 1.0);
}
`
