export { type AudioCodec, type AudioFile, loadAudioFile } from './file.ts'
export { AudioLibrary } from './library.ts'
export { Player } from './player.ts'
