export default function Home() {
  return <main>Taboot talks to {process.env.NEXT_PUBLIC_API_URL}</main>;
}
